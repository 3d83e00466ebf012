import type { Workspace } from "../store/index.ts";

/** Where the gateway records its calls: the `aiCalls` of a workspace's store, with the requests of the batch lane. */
export type AiJournal = Pick<Workspace["aiCalls"], "admit" | "settle" | "vault" | "ofStep" | "lastAnswer"> & {
  readonly batches: Workspace["batches"];
};
