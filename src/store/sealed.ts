import { type Json, SluiceError } from "../core/index.ts";
import { type ContentKey, sealedPrefix } from "./content-keys.ts";

/*
 * Content of runs (payloads, what steps take and give, requests and answers) stands in the database sealed with the key of
 * the run's event. In a `json` column a sealed value is a JSON text. What was stored before content was sealed is plain.
 */

/** A value, sealed, as text for a `json` column. */
export function sealContent(key: ContentKey, value: Json, place: string): string {
  // Base64 has nothing that JSON would escape.
  return `"${key.seal(value, place)}"`;
}

/**
 * A value as text for a nullable `json` column. Null when there is none, and when there is no key to seal it with: the run
 * was erased, and what comes after that is not kept.
 */
export function sealKept(key: ContentKey | null, value: Json | undefined, place: string): string | null {
  return key === null || value === null || value === undefined ? null : sealContent(key, value, place);
}

/**
 * What a `json` column holds, as the value that it was. Null when it was sealed and its key is gone.
 *
 * @throws CONTENT_UNREADABLE when it was changed, moved, or sealed with another key.
 */
export function openContent(key: ContentKey | null, stored: Json, place: string): Json {
  if (typeof stored !== "string" || !stored.startsWith(sealedPrefix)) return stored;
  return key === null ? null : key.open(stored, place);
}

/** Whether an error says that content cannot be given any more: that and no more is wrong. */
export function isContentLost(thrown: unknown): thrown is SluiceError {
  return thrown instanceof SluiceError && (thrown.code === "CONTENT_ERASED" || thrown.code === "CONTENT_UNREADABLE");
}

/** Refuses to go on with a run whose content is gone. */
export function contentErased(runId: string): SluiceError {
  return new SluiceError("CONTENT_ERASED", {
    message: `the content of run "${runId}" was erased`,
    hint: "It cannot be executed any more. To do the work again, send the event again.",
  });
}
