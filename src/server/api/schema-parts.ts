import { z } from "zod";
import type { Json } from "../../core/index.ts";

/*
 * What the shapes of the API are made of. These have no names of their own in the API's document.
 */

/** ISO 8601 in UTC. */
export const time = z.iso.datetime();

/** Any JSON. */
export const AnyJson: z.ZodType<Json> = z.json();

/** Text of one line. What goes into a `text` column must not hold NUL, and no name needs a control character. */
export const line = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^\P{Cc}*$/u, "has a control character");

/** What is known about an effect. */
export const receiptState = z.enum(["intent", "done", "not_done", "unknown"]);

/** What an action does outside. */
export const effectKind = z.enum(["read", "write", "irreversible"]);

/**
 * What resuming does with an effect from the failed step on: `done` is given back from its receipt, `not_done` is tried,
 * and of one in doubt (`intent`, `unknown`) a `write` is repeated, while an `irreversible` one waits for a person's word.
 */
export const effectInPreview = z.object({
  action: z.string(),
  key: z.string(),
  effect: effectKind,
  state: receiptState,
  /** Whether it may have happened and would be sent again, with the same key. */
  wouldRepeat: z.boolean(),
});
