/** The shortest password that the server takes. */
export const shortestPassword = 12;

const common = ["password", "passwort", "qwerty", "letmein", "welcome", "admin", "sluice", "1234", "abcd", "iloveyou"];

/** How hard a password is to guess, from 0 (will be refused) to 3, with what would make it better. */
export interface PasswordStrength {
  readonly level: 0 | 1 | 2 | 3;
  readonly words: string;
}

/** Judges a password by its length without repeats, own names and common words: length counts most. */
export function judgePassword(password: string, own: readonly string[]): PasswordStrength {
  const missing = shortestPassword - password.length;
  if (missing > 0)
    return {
      level: 0,
      words: `${missing} more character${missing === 1 ? "" : "s"}. Four random words are strong and easy to keep.`,
    };
  const lower = password.toLowerCase();
  const guessable = [
    ...common,
    ...own.flatMap((text) => text.toLowerCase().split(/[^a-z0-9]+/)).filter((part) => part.length > 3),
  ];
  const found = guessable.filter((part) => lower.includes(part));
  const rest = found.reduce((text, part) => text.replaceAll(part, ""), lower);
  const score = new Set(rest).size + rest.length / 2;
  if (score < 12)
    return {
      level: 1,
      words: found.length > 0 ? "Weak: holds a common word or your name." : "Weak: repeats few characters.",
    };
  return score < 18 ? { level: 2, words: "Good." } : { level: 3, words: "Strong." };
}
