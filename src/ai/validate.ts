import { type AnswerRung, checkSchema, type Schema, type SchemaIssue, SluiceError } from "../core/index.ts";
import type { ModelAnswer } from "./call.ts";

/** Why an answer cannot be used, and what asking once more would have to change. */
export interface Refusal {
  readonly error: SluiceError;
  /** `longer`: with a higher limit. `corrected`: with the complaint. `no`: asking again within this step is no use. */
  readonly askAgain: "longer" | "corrected" | "no";
  /** For the model: what is wrong. Holds paths and the schema's words, no value. */
  readonly complaint: string;
}

export type Verdict<Output> =
  | { readonly ok: true; readonly value: Output; readonly rung: "as_is" | "repaired" }
  | { readonly ok: false; readonly refusal: Refusal };

/** Stage 8 for an answer in words: complete, and not empty. */
export function validateText(answer: ModelAnswer): Verdict<string> {
  return checkEnd(answer) ?? { ok: true, value: answer.text, rung: "as_is" };
}

/** Stage 8 for data: complete, JSON or nearly so, and of the schema. An answer that was cut off is never repaired. */
export async function validateObject<Output>(answer: ModelAnswer, schema: Schema<Output>): Promise<Verdict<Output>> {
  const end = checkEnd(answer);
  if (end) return end;
  const strict = parseJson(answer.text);
  if (strict) return checkValue(strict.value, schema, "as_is");
  const repaired = await repairJson(answer.text);
  if (repaired) return checkValue(repaired.value, schema, "repaired");
  return invalid("it is not JSON", "It is not JSON.");
}

/** The rung of an answer, given how many were asked for before it because they did not fit. */
export function rungOf(verdict: { readonly rung: "as_is" | "repaired" }, corrections: number): AnswerRung {
  return corrections > 0 ? "asked_again" : verdict.rung;
}

function checkEnd({ finish, text }: ModelAnswer): { readonly ok: false; readonly refusal: Refusal } | undefined {
  if (finish === "length") return refuse("OUTPUT_TRUNCATED", "longer");
  if (finish === "refused") return refuse("MODEL_REFUSED", "no");
  return text.trim() === "" ? refuse("MODEL_UNAVAILABLE", "no") : undefined;
}

const refusals = {
  OUTPUT_TRUNCATED: {
    message: "the model's answer was cut off at its length limit",
    hint: "Raise maxOutputTokens of the call, or ask for a shorter answer. A part of an answer is never used.",
  },
  MODEL_REFUSED: {
    message: "the model refused to answer by its content rules",
    hint: "Handle this in the flow: show the case to a person, or go on without the answer.",
  },
  MODEL_UNAVAILABLE: { message: "the model's answer was empty", hint: "Sluice tries again by itself." },
} as const;

function refuse(code: keyof typeof refusals, askAgain: Refusal["askAgain"]) {
  return { ok: false, refusal: { error: new SluiceError(code, refusals[code]), askAgain, complaint: "" } } as const;
}

async function checkValue<Output>(
  value: unknown,
  schema: Schema<Output>,
  rung: "as_is" | "repaired",
): Promise<Verdict<Output>> {
  const result = await checkSchema(schema, value);
  if (result.ok) return { ok: true, value: result.value, rung };
  const issues = result.issues.slice(0, 20);
  const places = issues.map(({ path }) => path || "(the whole value)").join(", ");
  return invalid(`it does not fit the schema at ${places}`, writeIssues(issues), issues);
}

function writeIssues(issues: readonly SchemaIssue[]): string {
  return issues.map(({ path, message }) => `At ${path || "the top"}: ${message}.`).join("\n");
}

function invalid(why: string, complaint: string, issues: readonly SchemaIssue[] = []) {
  const error = new SluiceError("OUTPUT_INVALID", {
    message: `the model's answer cannot be used: ${why}`,
    hint: "Say more exactly in the instructions what is wanted, loosen the schema, or use a stronger model.",
    details: { issues: issues.map(({ path, message }) => ({ path, message })) },
  });
  return { ok: false, refusal: { error, askAgain: "corrected", complaint } } as const;
}

interface Parsed {
  readonly value: unknown;
}

function parseJson(text: string): Parsed | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    // The next rung of the ladder takes it.
    return undefined;
  }
}

/** Takes JSON in a code fence or between words of explanation, with trailing commas, single quotes, comments and the like. */
async function repairJson(text: string): Promise<Parsed | undefined> {
  const { jsonrepair } = await import("jsonrepair");
  try {
    return parseJson(jsonrepair(cutOut(text)));
  } catch {
    // Beyond repair: the model is asked again.
    return undefined;
  }
}

/** The part of a text from the first bracket to the last one, where there are any. */
function cutOut(text: string): string {
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf("}"), text.lastIndexOf("]"));
  return start >= 0 && end > start ? text.slice(start, end + 1) : text;
}
