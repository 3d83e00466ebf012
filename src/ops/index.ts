export { createLog, type LogOptions } from "./log.ts";
export { giveMemoryBack } from "./memory.ts";
