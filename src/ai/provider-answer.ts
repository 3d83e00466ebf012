import { UnusableAnswer } from "./failures.ts";
import { ProviderFailure } from "./failure-signs.ts";
import type { OpenLanguageModel } from "./providers.ts";
import { type ModelUsage, type ReportedUsage, type TextSizes, toUsage } from "./usage.ts";

/** The answer of a model for text. */
export interface TextAnswer {
  /** As it came. */
  readonly text: string;
  /** `complete` also stands for reasons that say nothing, as some servers give none. */
  readonly finish: "complete" | "length" | "refused";
  readonly usage: ModelUsage;
}

type Generated = Awaited<ReturnType<OpenLanguageModel["doGenerate"]>>;
type Streamed = Awaited<ReturnType<OpenLanguageModel["doStream"]>>["stream"];
type FinishReason = Generated["finishReason"];

/** Reads an answer that came in one piece. @throws UnusableAnswer when the model gave up. */
export function readAnswer(result: Generated, sentBytes: number): TextAnswer {
  const parts = result.content.map((part) => (part.type === "text" ? part.text : ""));
  const text = result.structuredOutputText ?? parts.join("");
  const usage = toUsage(result.usage, { sentBytes, receivedBytes: Buffer.byteLength(text) });
  return { text, finish: toFinish(result.finishReason, usage), usage };
}

/** What {@link readStream} takes. */
export interface StreamReading {
  /** What came is added piece by piece, thoughts included. */
  readonly sizes: TextSizes;
  /** Called with each sign of life from the first piece of the answer on. */
  readonly onNext: () => void;
  /** Given each piece of the text as it comes. */
  readonly onText: (text: string) => void;
}

/** Parts of a stream that no word of the answer is in. Their coming does not end the wait for the first one. */
const silentParts: ReadonlySet<string> = new Set(["stream-start", "response-metadata", "ping", "raw"]);

/**
 * Reads an answer that comes piece by piece.
 *
 * @throws UnusableAnswer when it ends without an end; what the stream fails with.
 */
export async function readStream(stream: Streamed, reading: StreamReading): Promise<TextAnswer> {
  const { sizes, onNext, onText } = reading;
  let text = "";
  let hasBegun = false;
  for await (const part of stream) {
    hasBegun ||= !silentParts.has(part.type);
    if (hasBegun) onNext();
    if (part.type === "error") throw ProviderFailure.ofStream(part.error);
    if ("delta" in part) sizes.receivedBytes += Buffer.byteLength(part.delta);
    if (part.type === "text-delta") {
      text += part.delta;
      onText(part.delta);
    }
    if (part.type === "finish") return finishStream(text, part, sizes);
  }
  throw new UnusableAnswer("broke its answer off", null);
}

function finishStream(
  text: string,
  { finishReason, usage: reported }: { readonly finishReason: FinishReason; readonly usage: ReportedUsage },
  sizes: TextSizes,
): TextAnswer {
  const usage = toUsage(reported, sizes);
  // Without a reason the connection ended before the answer did; some packages then say `other`.
  const isCut = finishReason.unified === "other" && finishReason.raw === undefined;
  if (isCut) throw new UnusableAnswer("broke its answer off", usage);
  return { text, finish: toFinish(finishReason, usage), usage };
}

/** Reasons of providers that the packages have no word for, after which an answer is not whole. */
const brokenOff = /time_?out|error|malformed|abort|cancel|interrupt|^other$|^unexpected/i;

function toFinish({ unified, raw = "" }: FinishReason, usage: ModelUsage): TextAnswer["finish"] {
  if (unified === "length" || /context_window/i.test(raw)) return "length";
  if (unified === "content-filter") return "refused";
  if (unified === "interrupted") throw new UnusableAnswer("broke its answer off", usage);
  if (unified === "error" || (unified === "other" && brokenOff.test(raw))) {
    const reason = /^\w{1,40}$/.test(raw) ? ` (${raw})` : "";
    throw new UnusableAnswer(`ended its answer by an error${reason}`, usage);
  }
  return "complete";
}
