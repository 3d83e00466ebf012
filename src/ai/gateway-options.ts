import type { Log, MaskPolicy } from "../core/index.ts";
import type { AiJournal } from "./journal.ts";
import type { Detector, KnownValue } from "./mask/index.ts";
import type { ModelAccess } from "./model-access.ts";
import type { ResolvedModels } from "./model-spec.ts";
import type { OverallBudget } from "./reserve.ts";

/** What {@link createGateway} takes. */
export interface GatewayOptions extends ModelAccess {
  readonly models: ResolvedModels;
  /** Where the calls of a workspace are recorded. */
  readonly journalFor: (workspaceId: string) => AiJournal;
  /** Gives the blind indexes by which calls about somebody are found. */
  readonly subjectIndexes: (values: readonly KnownValue[]) => readonly string[];
  /** Lets a call pass that a person allowed: raises a budget once for each key. */
  readonly allowBudget: (
    workspaceId: string,
    allowance: { readonly account: string; readonly extraMicroUsd: number; readonly key: string },
  ) => Promise<void>;
  /** What finds personal values, besides the fields of the event. */
  readonly detectors: readonly Detector[];
  /** What happens to personal values where the flow says nothing. Default of each kind: masked. */
  readonly masking?: MaskPolicy | undefined;
  /** Limits of money over all flows. Default: none. */
  readonly budget?: OverallBudget | undefined;
  /** How long the placeholders of a run are kept with what they stand for. */
  readonly vaultMs: number;
  /** Whether calls are recorded, and limits and budgets held. Default: true. False is for measuring only. */
  readonly recordCalls?: boolean;
  readonly log?: Log;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}
