import { type EntityKind, entityKinds, SluiceError } from "../../core/index.ts";

/** A value that was found in a text. */
export interface Finding {
  /** Where it begins, in UTF-16 code units. */
  readonly start: number;
  /** Where it ends, exclusive, in UTF-16 code units. */
  readonly end: number;
  readonly kind: EntityKind;
  /** Name of the detector that found it. */
  readonly source: string;
}

/** A source of findings beside the known values of the event, such as a Presidio server. */
export interface Detector {
  /** Stands in errors and in {@link Finding.source}. */
  readonly name: string;
  /** How long one `find` may take before the call is stopped, in milliseconds. Default: 5 seconds, and 5 more for each million characters. */
  readonly timeoutMs?: number;
  /**
   * Finds values; one list for each text, in the order of the texts. Whatever it throws stops the call: nothing is sent.
   *
   * @param signal aborted when the time is over or another detector failed.
   */
  find(texts: readonly string[], signal?: AbortSignal): Promise<readonly (readonly Finding[])[]>;
}

/** A value of the event whose kind is known by the name of its field. */
export interface KnownValue {
  readonly kind: EntityKind;
  readonly value: string;
}

const kinds: ReadonlySet<unknown> = new Set(entityKinds);

/**
 * Passes on what a detector gave when it fits the texts.
 *
 * @throws MASKING_FAILED, not retryable, when a list is missing or a finding lies outside its text, is empty or has no known kind.
 */
export function checkFindings(
  detector: string,
  texts: readonly string[],
  found: readonly (readonly Finding[])[],
): readonly (readonly Finding[])[] {
  const fits =
    Array.isArray(found) &&
    found.length === texts.length &&
    texts.every((text, index) => found[index]?.every((finding: Finding) => isWithin(finding, text.length)));
  if (fits) return found;
  throw new SluiceError("MASKING_FAILED", {
    message: `detector "${detector}" gave findings that do not fit the ${texts.length} texts it was asked about`,
    hint: "Nothing was sent. Each finding needs a start and an end within its text, in UTF-16 code units, and a known kind.",
    retryable: false,
  });
}

function isWithin({ start, end, kind }: Finding, length: number): boolean {
  return (
    Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= length && kinds.has(kind)
  );
}
