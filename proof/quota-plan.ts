import { type FaultRule } from "../src/sandbox/index.ts";

/** Variable of the services' processes that says where the sandbox is. */
export const originVariable = "PROOF_SANDBOX_ORIGIN";

/** An account that is used up: a key, and the one model that is asked with it. */
export interface Account {
  /** Of the configured model. */
  readonly name: string;
  readonly vendor: "openai" | "anthropic";
  /** Name of its key, which is what circuits go by. */
  readonly key: string;
  /** How the provider says so. */
  readonly fault: "insufficient_quota" | "spend_limit_reached" | "payment_required";
}

const faults = ["insufficient_quota", "spend_limit_reached", "payment_required"] as const;

function toAccount(name: string, vendor: Account["vendor"], fault: Account["fault"]): Account {
  return { name, vendor, fault, key: `KEY_${name}`.toUpperCase().replaceAll("-", "_") };
}

/** Without another model to ask: each provider says it in three ways. The first is the usual one. */
export const accounts: readonly Account[] = (["openai", "anthropic"] as const).flatMap((vendor) =>
  faults.map((fault) => toAccount(`${vendor}-${fault}`, vendor, fault)),
);

/** With a model of another account behind it. */
export const spareAccount: Account = toAccount("with-spare", "openai", "insufficient_quota");
export const spareKey = "KEY_SPARE";

/** All accounts are used up. */
export const quotaFaults: readonly FaultRule[] = [...accounts, spareAccount].map(({ name, vendor, fault }) => ({
  system: vendor,
  kind: fault,
  match: { body: `"model":"sandbox-${name}"` },
}));
