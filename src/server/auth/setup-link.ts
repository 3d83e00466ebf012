import type { Workspace } from "../../store/index.ts";
import { createToken, digestOfToken } from "./token.ts";

const validMs = 24 * 3_600_000;

/**
 * Issues a link with which whoever reads this server's terminal creates the first user. It can be used once and for 24
 * hours; opening it changes nothing, so a mail scanner or a preview cannot burn it.
 *
 * @param adminUrl address of the admin listener, without a slash at the end.
 * @returns null when there is a user already.
 */
export async function issueSetupLink(people: Workspace["people"], adminUrl: string, now: Date): Promise<string | null> {
  if ((await people.countUsers()) > 0) return null;
  const token = createToken();
  await people.createSetupToken(digestOfToken(token), new Date(now.getTime() + validMs));
  return `${adminUrl}/setup?token=${token}`;
}
