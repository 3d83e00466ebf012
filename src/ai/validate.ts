import { type AnswerRung, type Check, checkSchema, type Schema, type SchemaIssue, SluiceError } from "../core/index.ts";
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
  | { readonly ok: true; readonly value: Output; readonly rung: AnswerRung }
  | { readonly ok: false; readonly refusal: Refusal };

/** Stage 8 for an answer in words: complete, and not empty. */
export function validateText(answer: ModelAnswer, restore: (text: string) => string): Verdict<string> {
  return checkEnd(answer) ?? { ok: true, value: restore(answer.text), rung: "as_is" };
}

/** What an answer of data is held against. */
export interface Conditions<Output> {
  readonly schema: Schema<Output>;
  readonly checks: readonly Check<Output>[];
  /** Puts real values back, once the answer is known to be JSON: a schema asks for an e-mail address, not for a placeholder. */
  readonly restore: <T>(value: T) => T;
}

/**
 * Stage 8 for data: complete, JSON or nearly so, of the schema, and as the flow's checks want it. An answer that was cut off
 * is never repaired.
 */
export async function validateObject<Output>(
  answer: ModelAnswer,
  conditions: Conditions<Output>,
): Promise<Verdict<Output>> {
  const end = checkEnd(answer);
  if (end) return end;
  const strict = parseJson(answer.text);
  if (strict) return checkValue(strict.value, conditions, "as_is");
  const repaired = await repairJson(answer.text);
  if (repaired) return checkValue(repaired.value, conditions, "repaired");
  return invalid("it is not JSON", "It is not JSON.");
}

/** A schema that holds values against the checks as well; for what a person answers in place of a model. */
export function withChecks<Output>({ schema, checks }: Pick<Conditions<Output>, "schema" | "checks">): Schema<Output> {
  return {
    "~standard": {
      version: 1,
      vendor: "sluice",
      async validate(value: unknown) {
        const result = await checkSchema(schema, value);
        if (!result.ok)
          return { issues: result.issues.map(({ message, path }) => ({ message, path: path.split("/").slice(1) })) };
        const complaint = await complaintOf(result.value, checks);
        return complaint === null ? { value: result.value } : { issues: [{ message: complaint }] };
      },
    },
  };
}

/** What the first check that does not hold says; null when all hold. What a check throws is a fault of the flow's code. */
async function complaintOf<Output>(value: Output, checks: readonly Check<Output>[]): Promise<string | null> {
  for (const check of checks) {
    const said = await check(value);
    if (said !== true) return typeof said === "string" ? said : "a check of the flow does not hold";
  }
  return null;
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
  { schema, checks, restore }: Conditions<Output>,
  rung: "as_is" | "repaired",
): Promise<Verdict<Output>> {
  const result = await checkSchema(schema, restore(value));
  if (result.ok) {
    const complaint = await complaintOf(result.value, checks);
    return complaint === null ? { ok: true, value: result.value, rung } : refuseByCheck(complaint);
  }
  const issues = result.issues.slice(0, 20);
  const places = issues.map(({ path }) => path || "(the whole value)").join(", ");
  return invalid(`it does not fit the schema at ${places}`, writeIssues(issues), issues);
}

/** An answer that a check of the flow, or the judge, does not accept. What it says goes to the model only: it may quote values. */
export function refuseByCheck(complaint: string) {
  return invalid("a check of the flow does not hold", complaint);
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
