import { createHash } from "node:crypto";

/** The id of the channel of a name: always the same one, in Slack's shape (`C` and ten capitals or digits). */
export function channelIdOf(name: string): string {
  const number = createHash("sha256").update(name).digest().readBigUInt64BE();
  return `C${number.toString(36).toUpperCase().padStart(10, "0").slice(-10)}`;
}
