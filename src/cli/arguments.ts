import { InvalidArgumentError } from "commander";
import { UsageError } from "./failure.ts";

/** Reads a whole number from 1 to the most that is allowed. */
export const toCount =
  (most: number) =>
  (text: string): number => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };

/**
 * What follows a command and is none of its own comes to the one that it does by itself, which takes nothing.
 *
 * @throws UsageError when there is such a word.
 */
export function refuseWord(command: string, words: readonly string[], word: string | undefined): void {
  if (word === undefined) return;
  throw new UsageError(`unknown command '${word}' of ${command}`, `It has ${words.join(", ")}.`);
}
