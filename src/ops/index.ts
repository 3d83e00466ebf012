export { keepLedgerHeads, readLedgerHeads } from "./ledger-heads.ts";
export { createLog, type LogOptions } from "./log.ts";
export { giveMemoryBack } from "./memory.ts";
