import { createHash } from "node:crypto";
import type { SluiceErrorJson } from "./errors.ts";

/** What an error's message holds that differs between failures of one kind: ids, addresses, times, numbers, quoted names. */
const particulars = /"[^"]*"|'[^']*'|\b[a-z]+_[0-9a-z]{20,}\b|\b[0-9a-f]{8,}\b|\d+/gi;

/**
 * The same 16 hexadecimal digits for failures of one kind: the same flow, step, code and message, particulars apart.
 *
 * @param step name of the step that failed; null for the flow's own code.
 */
export function fingerprintOf(
  flow: string,
  step: string | null,
  error: Pick<SluiceErrorJson, "code" | "message">,
): string {
  const kind = [flow, step ?? "", error.code, error.message.replaceAll(particulars, "*")];
  return createHash("sha256").update(kind.join("\n")).digest("hex").slice(0, 16);
}
