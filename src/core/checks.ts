import type { Check } from "./ai-call.ts";

/**
 * A check that texts of an answer stand in the source word for word, so that a model cannot make them up. Differences of white
 * space and of capital letters do not count.
 *
 * @param source what the answer was made from, such as the text of a mail.
 * @param texts gives the texts of the answer that must stand there.
 *
 * @example
 * const check = mustAppearIn(mail.text, (answer: { quotes: string[] }) => answer.quotes);
 */
export function mustAppearIn<Output>(
  source: string,
  texts: (answer: Output) => string | readonly string[],
): Check<Output> {
  const haystack = squash(source);
  return (answer) => {
    const wanted = texts(answer);
    const missing = (typeof wanted === "string" ? [wanted] : wanted).filter((text) => !haystack.includes(squash(text)));
    if (missing.length === 0) return true;
    return `These do not stand in the source word for word: ${missing.map((text) => JSON.stringify(text)).join(", ")}.`;
  };
}

function squash(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().toLowerCase();
}
