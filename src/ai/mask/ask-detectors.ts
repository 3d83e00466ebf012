import { SluiceError } from "../../core/index.ts";
import { checkFindings, type Detector, type Finding } from "./finding.ts";

const leastTimeMs = 5000;
const timePerMillionMs = 5000;

/**
 * Asks all detectors at once; the findings of all of them for each text.
 *
 * @throws MASKING_FAILED when one of them throws, takes too long or gives nonsense; the others are told to stop.
 */
export async function askDetectors(detectors: readonly Detector[], texts: readonly string[]): Promise<Finding[][]> {
  const size = texts.reduce((sum, text) => sum + text.length, 0);
  const stop = new AbortController();
  try {
    const answers = await Promise.all(detectors.map((detector) => askOne(detector, texts, { size, stop })));
    return texts.map((_, index) => answers.flatMap((answer) => answer[index] ?? []));
  } catch (thrown) {
    stop.abort();
    throw thrown;
  }
}

interface Asking {
  /** Characters of all texts. */
  readonly size: number;
  readonly stop: AbortController;
}

async function askOne(detector: Detector, texts: readonly string[], { size, stop }: Asking) {
  const timeoutMs = detector.timeoutMs ?? leastTimeMs + (size / 1e6) * timePerMillionMs;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tookTooLong(detector.name, timeoutMs)), timeoutMs);
  try {
    const found = await Promise.race([detector.find(texts, stop.signal), late.promise]);
    return checkFindings(detector.name, texts, found);
  } catch (thrown) {
    throw toFailure(detector.name, thrown);
  } finally {
    clearTimeout(timer);
  }
}

function tookTooLong(detector: string, timeoutMs: number): SluiceError {
  return new SluiceError("MASKING_FAILED", {
    message: `detector "${detector}" gave no answer within ${Math.round(timeoutMs)} ms`,
    hint: "Nothing was sent. Try again, send less text, or give the detector more time.",
    retryable: true,
  });
}

/** The message of a foreign error may quote the text: only its name is told. */
function toFailure(detector: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError && thrown.code === "MASKING_FAILED") return thrown;
  const name = thrown instanceof SluiceError ? thrown.code : thrown instanceof Error ? thrown.name : typeof thrown;
  return new SluiceError("MASKING_FAILED", {
    message: `detector "${detector}" failed with ${name}`,
    hint: "Nothing was sent: a text that was not searched completely does not leave.",
    retryable: true,
  });
}
