import { type Budget, type FlowOptions, SluiceError } from "../core/index.ts";
import { checkModelFields } from "./check-model-fields.ts";
import { isSimulated, modelIdOf, type ModelsConfig, type ModelSpec, type ResolvedModels } from "./model-spec.ts";
import { specsOf } from "./models.ts";
import { priceOf } from "./prices.ts";
import { providerFacts } from "./provider-facts.ts";
import { isInstalled, peerMissing } from "./provider-peers.ts";

/** What {@link checkModels} takes. */
export interface CheckModelsOptions {
  /** As it is written. */
  readonly config: ModelsConfig;
  /** What became of it. */
  readonly models: ResolvedModels;
  readonly flows: readonly Pick<FlowOptions<unknown, unknown>, "name" | "budget" | "regions" | "dataClasses">[];
  /** Limits of money over all flows. Default: none. */
  readonly budget?: Pick<Budget, "perDayUsd" | "perMonthUsd"> | undefined;
  /** Whether a package can be loaded. Default: as Node finds it. */
  readonly isInstalled?: (packageName: string) => boolean;
}

/**
 * Checks at start what would otherwise fail at the first call, or do nothing in silence: fields and values of the configured
 * models, the packages of their providers, and whether every budget can be held because the prices are known.
 *
 * @throws CONFIG_INVALID, PEER_MISSING, FLOW_INVALID, MODEL_UNKNOWN or MODEL_PRICE_UNKNOWN for the first thing that is wrong.
 */
export async function checkModels(options: CheckModelsOptions): Promise<void> {
  for (const [name, entry] of Object.entries(options.config)) checkModelFields(name, specsOf(entry));
  checkPeers(options);
  for (const name of ["perDayUsd", "perMonthUsd"] as const) refuseAmount("of all flows", name, options.budget?.[name]);
  for (const flow of options.flows) checkBudget(flow, options.models);
  await checkPrices(options);
}

function checkPeers({ models, isInstalled: isThere = isInstalled }: CheckModelsOptions): void {
  for (const { spec } of candidatesOf(models)) {
    if (!isSimulated(spec) && !isThere(providerFacts[spec.provider].peer.name)) throw peerMissing(spec.provider);
  }
}

interface Candidate {
  readonly name: string;
  readonly spec: ModelSpec;
}

function candidatesOf(models: ResolvedModels): Candidate[] {
  return [...models.values()].flatMap(({ name, spec, fallbacks }) =>
    [spec, ...fallbacks].map((each) => ({ name, spec: each })),
  );
}

type CheckedFlow = CheckModelsOptions["flows"][number];

const budgetSteps: ReadonlySet<string> = new Set(["cheaper", "batch", "wait", "ask", "stop"]);

function checkBudget({ name, budget }: CheckedFlow, models: ResolvedModels): void {
  if (budget === undefined) return;
  for (const field of ["perRunUsd", "perDayUsd", "perMonthUsd"] as const)
    refuseAmount(`of flow ${name}`, field, budget[field]);
  const { whenSpent = [], cheaperModel } = budget;
  const strange = whenSpent.find((step) => !budgetSteps.has(step));
  if (strange !== undefined) {
    throw new SluiceError("FLOW_INVALID", {
      message: `whenSpent of flow ${name} names ${JSON.stringify(strange)}, expected ${[...budgetSteps].join(", ")}`,
      hint: "Correct the word in the flow's budget.",
    });
  }
  if (whenSpent.includes("cheaper") && cheaperModel === undefined) {
    throw new SluiceError("FLOW_INVALID", {
      message: `whenSpent of flow ${name} has "cheaper", but its budget names no cheaperModel`,
      hint: "Write cheaperModel with the name of a configured model into the budget.",
    });
  }
  if (cheaperModel !== undefined && !models.has(cheaperModel)) {
    throw new SluiceError("MODEL_UNKNOWN", {
      message: `cheaperModel of flow ${name} is ${JSON.stringify(cheaperModel)}; configured are ${[...models.keys()].join(", ")}`,
      hint: "Add it to the models of the configuration, or use one of the configured names.",
    });
  }
}

function refuseAmount(whose: string, field: string, amount: number | undefined): void {
  if (amount === undefined || (typeof amount === "number" && Number.isFinite(amount) && amount > 0)) return;
  throw new SluiceError("FLOW_INVALID", {
    message: `${field} in the budget ${whose} is ${String(amount)}, expected a number of US dollars above 0`,
    hint: "Leave the field out for no limit. To stop a flow, take it out of the configuration.",
  });
}

async function checkPrices(options: CheckModelsOptions): Promise<void> {
  const unpriced: Candidate[] = [];
  const mustBePriced = options.flows.some((flow) => holdsBudget(flow, options));
  const hasKeyBudget = candidatesOf(options.models).some(({ spec }) => !isSimulated(spec) && hasAmount(spec.budget));
  // The price list is not loaded for nothing.
  if (!mustBePriced && !hasKeyBudget) return;
  for (const candidate of candidatesOf(options.models)) {
    if ((await priceOf(candidate.spec)) === null) unpriced.push(candidate);
  }
  for (const { name, spec } of unpriced) {
    if (!isSimulated(spec) && hasAmount(spec.budget)) throw priceUnknown(name, spec, "the budget of its key");
  }
  for (const flow of options.flows.filter((each) => holdsBudget(each, options))) {
    const reachable = unpriced.find(({ spec }) => mayAsk(flow, spec));
    if (reachable) throw priceUnknown(reachable.name, reachable.spec, `the budget of flow ${flow.name}`);
  }
}

function holdsBudget({ budget }: CheckedFlow, options: CheckModelsOptions): boolean {
  return budget?.allowUnknownPrice !== true && (hasAmount(budget) || hasAmount(options.budget));
}

function hasAmount(budget: Pick<Budget, "perRunUsd" | "perDayUsd" | "perMonthUsd"> = {}): boolean {
  return budget.perRunUsd !== undefined || budget.perDayUsd !== undefined || budget.perMonthUsd !== undefined;
}

/** Whether a call of the flow may go to the model: it can name any that may have its data. */
function mayAsk({ regions, dataClasses = [] }: CheckedFlow, spec: ModelSpec): boolean {
  if (isSimulated(spec)) return false;
  const isInRegion = regions === undefined || (spec.region !== undefined && regions.includes(spec.region));
  return isInRegion && dataClasses.every((one) => spec.dataClasses?.includes(one));
}

function priceUnknown(name: string, spec: ModelSpec, budget: string): SluiceError {
  return new SluiceError("MODEL_PRICE_UNKNOWN", {
    message: `the price of ${spec.provider} model ${modelIdOf(spec)} ("${name}") is unknown, so that ${budget} cannot be held`,
    hint:
      "Give the model a price, such as price: { inputUsdPerMillion: 0.25, outputUsdPerMillion: 2 }, 0 for a server of your own; " +
      "or write allowUnknownPrice: true into the flow's budget.",
  });
}
