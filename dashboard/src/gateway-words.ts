import type { AiCallView, BudgetView, GaugeView, ModelCandidateView } from "./api.ts";
import { formatDay, formatDuration, plural } from "./format.ts";

/*
 * The gateway in plain words.
 */

export const limitWords: { readonly [kind in GaugeView["kind"]]: string } = {
  requests: "Requests",
  tokens: "Tokens",
  input_tokens: "Tokens in",
  output_tokens: "Tokens out",
};

const windows: { readonly [ms: number]: string } = {
  1000: "a second",
  60_000: "a minute",
  3_600_000: "an hour",
  86_400_000: "a day",
};

/** The window of a limit, such as `a minute` or `in 6 s`. */
export const windowWords = (perMs: number): string => windows[perMs] ?? `in ${formatDuration(perMs)}`;

const circuitReasons: { readonly [reason: string]: string } = {
  quota: "the quota is used up",
  auth: "the key is refused",
  unavailable: "the provider does not answer",
};

/** Why a provider refused a call for a limit. */
export const rateLimitReason = (reason: string): string =>
  reason === "quota" ? "the quota was used up" : spaced(reason);

/** A word that a machine wrote, for people: `rate_limited` as `rate limited`. */
const spaced = (word: string): string => word.replaceAll("_", " ");

/** Why a circuit is open; null when nobody said. */
export const circuitReason = ({ reason }: ModelCandidateView["circuit"]): string | null =>
  reason === null ? null : (circuitReasons[reason] ?? spaced(reason));

const entities: { readonly [kind: string]: readonly [one: string, many: string] } = {
  PERSON: ["person", "people"],
  EMAIL: ["e-mail address", "e-mail addresses"],
  PHONE: ["phone number", "phone numbers"],
  COMPANY: ["company", "companies"],
  ADDRESS: ["address", "addresses"],
  POSTCODE: ["postcode", "postcodes"],
  IBAN: ["IBAN", "IBANs"],
  CARD: ["card number", "card numbers"],
  NI_NUMBER: ["NI number", "NI numbers"],
  NHS_NUMBER: ["NHS number", "NHS numbers"],
  SSN: ["social security number", "social security numbers"],
  DATE_OF_BIRTH: ["date of birth", "dates of birth"],
  IP: ["IP address", "IP addresses"],
  KEY: ["key", "keys"],
  TEXT: ["look-alike of a placeholder", "look-alikes of placeholders"],
};

/** A kind of masked value, such as `e-mail address`. */
export const entityWords = (kind: string): string => entities[kind]?.[0] ?? spaced(kind).toLowerCase();

/** What was masked, such as `1 person, 2 e-mail addresses`; null when nothing was. */
export function maskedSentence(masked: { readonly [kind: string]: number }): string | null {
  const parts = Object.entries(masked).flatMap(([kind, count]) => {
    const [one, many] = entities[kind] ?? [entityWords(kind)];
    return count > 0 ? [plural(count, one, many)] : [];
  });
  return parts.length === 0 ? null : parts.join(", ");
}

/** What happened to an answer on its way to the flow. */
export const rungWords: {
  readonly [rung in NonNullable<AiCallView["rung"]>]: { readonly label: string; readonly meaning: string };
} = {
  as_is: { label: "as it came", meaning: "The answer fitted the schema and the checks as it came." },
  repaired: { label: "repaired", meaning: "The answer was nearly JSON, and was repaired without asking again." },
  asked_again: {
    label: "asked again",
    meaning: "An earlier answer did not fit; the model was asked again, with what was wrong.",
  },
  fallback: { label: "other model", meaning: "The models before this one could not answer, or not fittingly." },
  review: { label: "by a person", meaning: "No answer of a model fitted; a person gave the value." },
};

export const laneWords: { readonly [lane in AiCallView["lane"]]: string } = {
  interactive: "Goes before all others where a limit has little room.",
  standard: "Goes after interactive and before batch calls.",
  batch: "Goes last, by the provider’s batch API where there is one, at about half the price.",
};

const owners: { readonly [kind in BudgetView["kind"]]: string } = {
  run: "Run",
  flow: "Flow",
  key: "Key",
  all: "Everything",
};

/** Whose budget an account is: `Flow` and `lead-routing` of `flow/lead-routing/2026-03-09`. */
export function accountOwner(account: string): { readonly kind: string; readonly name: string | null } {
  const [kind = "", name] = account.split("/");
  const known = kind in owners ? owners[kind as BudgetView["kind"]] : kind;
  return { kind: known, name: kind === "all" ? null : (name ?? null) };
}

/** The stretch that an account covers: `2026-03-09`, `2026-03`; null for a run's. */
export const accountPeriod = (account: string): string | null =>
  /\/(\d{4}-\d{2}(?:-\d{2})?)$/.exec(account)?.[1] ?? null;

/** A day or month of UTC as a budget has it: `today`, `this month`, or its date. */
export function periodWords(period: string): string {
  const today = new Date().toISOString().slice(0, 10);
  if (period === today) return "today";
  return period === today.slice(0, 7) ? "this month" : formatDay(period);
}
