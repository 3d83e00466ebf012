import type { Json, LedgerEntryView } from "./api.ts";
import { formatCost, formatCount, plural } from "./format.ts";
import { accountOwner, maskedSentence, rungWords } from "./gateway-words.ts";

/*
 * Entries of the ledger in plain words. Their facts are JSON of a version that may be older or newer than this page: what is
 * not there is left out.
 */

/** The kinds of entries, for a choice. */
export const ledgerKinds: { readonly [kind: string]: string } = {
  "model.intended": "Sent to a model",
  "model.called": "Answered by a model",
  "subject.erased": "Person erased",
  "budget.allowed": "Budget allowed",
  "circuit.resumed": "Circuit resumed",
};

type Facts = { readonly [name: string]: Json };

const factsOf = ({ data }: LedgerEntryView): Facts =>
  typeof data === "object" && data !== null && !Array.isArray(data) ? (data as Facts) : {};

const textOf = (value: Json | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);
const numberOf = (value: Json | undefined): number | null => (typeof value === "number" ? value : null);

/** An entry, for showing. */
export interface EntryWords {
  readonly what: string;
  /** What it was about, in a mono face: a model or an account. */
  readonly subject: string | null;
  readonly details: readonly string[];
  readonly tone: "sent" | "ok" | "failed" | "person";
  /** Where the model runs. */
  readonly region: string | null;
  readonly simulated: boolean;
}

export function entryWords(entry: LedgerEntryView): EntryWords {
  const facts = factsOf(entry);
  const plain = { subject: null, details: [], region: null, simulated: false };
  switch (entry.kind) {
    case "model.intended":
      return intended(facts);
    case "model.called":
      return called(facts);
    case "subject.erased":
      return { ...plain, what: "Content about a person was destroyed", details: erased(facts), tone: "person" };
    case "budget.allowed":
      return { ...plain, what: "More was allowed for a budget", details: allowed(facts), tone: "person" };
    case "circuit.resumed":
      return { ...plain, what: "Calls were let through again", details: by(facts), tone: "person" };
    default:
      return { ...plain, what: entry.kind, tone: "ok" };
  }
}

function intended(facts: Facts): EntryWords {
  const fields = fieldNames(facts["fields"]);
  const masked = maskedSentence(countsOf(facts["masked"]));
  return {
    what: `Sent to ${textOf(facts["provider"]) ?? "a model"}`,
    subject: textOf(facts["model"]),
    details: [
      fields.length === 0 ? "no field" : fields.join(", "),
      ...(masked === null ? [] : [`masked: ${masked}`]),
      ...(facts["lane"] === "batch" ? ["batch lane"] : []),
    ],
    tone: "sent",
    region: textOf(facts["region"]),
    simulated: facts["simulated"] === true,
  };
}

function called(facts: Facts): EntryWords {
  const error = textOf(facts["error"]) ?? textOf(facts["errorCode"]);
  const failed = facts["status"] === "failed" || error !== null;
  const rung = textOf(facts["rung"]);
  const tokensIn = numberOf(facts["inputTokens"]);
  const tokensOut = numberOf(facts["outputTokens"]);
  const cost = numberOf(facts["costMicroUsd"]);
  return {
    what: failed ? "No usable answer" : "Answered",
    subject: error,
    details: [
      ...(rung !== null && rung !== "as_is" && rung in rungWords
        ? [rungWords[rung as keyof typeof rungWords].label]
        : []),
      ...(tokensIn === null ? [] : [`${formatCount(tokensIn)} tokens in, ${formatCount(tokensOut ?? 0)} out`]),
      cost === null ? "price unknown" : `${formatCost(cost)}${facts["estimated"] === true ? ", estimated" : ""}`,
    ],
    tone: failed ? "failed" : "ok",
    region: null,
    simulated: false,
  };
}

function erased(facts: Facts): string[] {
  const runs = numberOf(facts["runs"]);
  const calls = numberOf(facts["calls"]);
  return [
    ...(runs === null ? [] : [plural(runs, "run")]),
    ...(calls === null ? [] : [plural(calls, "AI call")]),
    ...by(facts),
  ];
}

function allowed(facts: Facts): string[] {
  const account = textOf(facts["account"]);
  const owner = account === null ? null : accountOwner(account);
  const extra = numberOf(facts["extraMicroUsd"]);
  return [
    ...(owner === null ? [] : [owner.name === null ? owner.kind : `${owner.kind} ${owner.name}`]),
    ...(extra === null ? [] : [formatCost(extra)]),
    ...by(facts),
  ];
}

function by(facts: Facts): string[] {
  const person = textOf(facts["by"]);
  const name = textOf(facts["name"]) ?? textOf(facts["credential"]);
  return [...(name === null ? [] : [name]), ...(person === null ? [] : [`by ${person}`])];
}

function fieldNames(fields: Json | undefined): string[] {
  if (!Array.isArray(fields)) return [];
  return fields.flatMap((field: Json) => textOf(field) ?? textOf(isNamed(field) ? field["name"] : undefined) ?? []);
}

const isNamed = (field: Json): field is Facts => typeof field === "object" && field !== null && !Array.isArray(field);

function countsOf(masked: Json | undefined): { [kind: string]: number } {
  if (masked === undefined || !isNamed(masked)) return {};
  return Object.fromEntries(
    Object.entries(masked).filter((pair): pair is [string, number] => typeof pair[1] === "number"),
  );
}
