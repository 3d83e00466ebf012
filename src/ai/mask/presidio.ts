import { type EntityKind, isRecord, SluiceError } from "../../core/index.ts";
import type { ModelFetch } from "../model-access.ts";
import type { Detector, Finding } from "./finding.ts";

/** What {@link createPresidioDetector} takes. */
export interface PresidioOptions {
  /** Where the analyzer listens, such as `http://127.0.0.1:5002`. */
  readonly url: string;
  /** The guarded way out; the analyzer's address must be allowed there. */
  readonly fetch: ModelFetch;
  /** Language of the texts, as the server names it. Default: `en`. */
  readonly language?: string;
  /** For all texts of a call together. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Findings below this score, 0 to 1, are left out by the server. Default: the server's own threshold. */
  readonly scoreThreshold?: number;
}

/**
 * Presidio's entity types and our kinds. Only these are asked for: what Presidio also finds (URL, DATE_TIME, NRP, licences and passports)
 * has no kind here.
 *
 * @see https://microsoft.github.io/presidio/supported_entities/
 */
const kindOfEntity: Readonly<Record<string, EntityKind>> = {
  PERSON: "PERSON",
  EMAIL_ADDRESS: "EMAIL",
  PHONE_NUMBER: "PHONE",
  ORGANIZATION: "COMPANY",
  LOCATION: "ADDRESS",
  UK_POSTCODE: "POSTCODE",
  IBAN_CODE: "IBAN",
  CREDIT_CARD: "CARD",
  UK_NINO: "NI_NUMBER",
  UK_NHS: "NHS_NUMBER",
  US_SSN: "SSN",
  US_ITIN: "SSN",
  IP_ADDRESS: "IP",
};

/** A server cuts nothing off; spaCy refuses more than a million characters at once. */
const longestText = 100_000;
const atOnce = 4;

/**
 * Findings of a Presidio analyzer (`POST /analyze`), beside the built-in ones. Fails closed: a server that is away, slow, answers with
 * anything but 200 or with anything but findings stops the call with MASKING_FAILED.
 */
export function createPresidioDetector(options: PresidioOptions): Detector {
  const { timeoutMs = 5000 } = options;
  return {
    name: "presidio",
    timeoutMs,
    async find(texts, signal) {
      const stop = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
      const found: Finding[][] = texts.map(() => []);
      const slices = texts.flatMap((text, index) => slicesOf(text, index)).filter(({ text }) => text.trim() !== "");
      for (let first = 0; first < slices.length; first += atOnce) {
        await Promise.all(
          slices.slice(first, first + atOnce).map(async ({ text, index, offset }) => {
            const findings = await analyze(text, options, stop);
            for (const each of findings) {
              found[index]?.push({ ...each, start: each.start + offset, end: each.end + offset });
            }
          }),
        );
      }
      return found;
    },
  };
}

interface Slice {
  readonly text: string;
  /** Which of the texts it is of, and where it begins there. */
  readonly index: number;
  readonly offset: number;
}

/** Cuts a long text, between two lines or words where there are any. */
function slicesOf(text: string, index: number): Slice[] {
  const slices: Slice[] = [];
  for (let offset = 0; offset < text.length;) {
    const most = text.slice(offset, offset + longestText);
    const isLast = offset + most.length >= text.length;
    const cut = isLast ? most.length : Math.max(most.lastIndexOf("\n"), most.lastIndexOf(" ")) + 1 || most.length;
    slices.push({ text: most.slice(0, cut), index, offset });
    offset += cut;
  }
  return slices;
}

async function analyze(text: string, options: PresidioOptions, signal: AbortSignal): Promise<Finding[]> {
  const { url, fetch, language = "en", scoreThreshold } = options;
  const response = await fetch(new URL("analyze", url.endsWith("/") ? url : `${url}/`), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      text,
      language,
      entities: Object.keys(kindOfEntity),
      ...(scoreThreshold !== undefined && { score_threshold: scoreThreshold }),
    }),
    signal,
  }).catch((thrown: unknown) => {
    throw unavailable(`could not be asked (${nameOf(thrown)})`);
  });
  const body = await response.text().catch((thrown: unknown) => {
    throw unavailable(`broke off its answer (${nameOf(thrown)})`);
  });
  if (response.status !== 200) {
    throw unavailable(`answered with status ${response.status}`, response.status >= 500 || response.status === 429);
  }
  return readFindings(body, text);
}

/** Presidio counts code points; we count UTF-16 code units. */
function readFindings(body: string, text: string): Finding[] {
  const answer = parseJson(body);
  if (!Array.isArray(answer)) throw unavailable("gave an answer that is no list of findings", false);
  const units = unitsOfPoints(text);
  return answer.map((item: unknown) => {
    const { start, end, entity_type: type } = isRecord(item) ? item : {};
    const kind = typeof type === "string" && Object.hasOwn(kindOfEntity, type) ? kindOfEntity[type] : undefined;
    const [from, to] = [units(start), units(end)];
    if (kind === undefined || from === undefined || to === undefined || from >= to) {
      throw unavailable(
        "gave a finding without a known entity_type, or with a start and end that are not in the text",
        false,
      );
    }
    return { start: from, end: to, kind, source: "presidio" };
  });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // The cause would quote the answer.
    throw unavailable("gave an answer that is not JSON", false);
  }
}

function unitsOfPoints(text: string): (point: unknown) => number | undefined {
  if (!/[\uD800-\uDFFF]/.test(text)) {
    return (point) =>
      typeof point === "number" && Number.isInteger(point) && point >= 0 && point <= text.length ? point : undefined;
  }
  const units = [0];
  for (const character of text) units.push((units.at(-1) ?? 0) + character.length);
  return (point) => (typeof point === "number" ? units[point] : undefined);
}

function nameOf(thrown: unknown): string {
  return thrown instanceof SluiceError ? thrown.code : thrown instanceof Error ? thrown.name : typeof thrown;
}

function unavailable(what: string, retryable = true): SluiceError {
  return new SluiceError("MASKING_FAILED", {
    message: `the Presidio analyzer ${what}`,
    hint: "Nothing was sent. Check that the analyzer runs, speaks the language it was asked for, and may be reached; see docs/masking.md.",
    retryable,
  });
}
