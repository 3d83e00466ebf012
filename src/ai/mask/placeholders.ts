import { entityKinds, type EntityKind } from "../../core/index.ts";

/** What each placeholder stands for, exactly as it stood in a text. JSON; this is what the vault keeps. */
export type Originals = { readonly [placeholder: string]: string };

/** What a placeholder begins with: a kind, or TEXT for words that only look like a placeholder. */
export type PlaceholderKind = EntityKind | "TEXT";

/**
 * Anything that looks like a placeholder, wherever it stands. No kind ends with the name of another, so that none can be read
 * out of the seam between a text and a placeholder.
 */
export const placeholderPattern = `(?:${[...entityKinds, "TEXT"].join("|")})_\\d+`;

/** The placeholders of a run: the same value always has the same one. */
export class PlaceholderBook {
  readonly #originals = new Map<string, string>();
  readonly #placeholders = new Map<string, string>();
  readonly #last = new Map<string, number>();

  /** Goes on with the placeholders of earlier calls. */
  constructor(originals: Originals) {
    for (const [placeholder, original] of Object.entries(originals)) this.#enter(placeholder, original);
  }

  get originals(): Originals {
    return Object.fromEntries(this.#originals);
  }

  /** The placeholder of a value. A value keeps the kind it was first found as. */
  placeholderOf(kind: PlaceholderKind, value: string): string {
    const known = this.#placeholders.get(value);
    if (known !== undefined) return known;
    const placeholder = `${kind}_${(this.#last.get(kind) ?? 0) + 1}`;
    this.#enter(placeholder, value);
    return placeholder;
  }

  #enter(placeholder: string, original: string): void {
    const kind = kindOf(placeholder);
    this.#originals.set(placeholder, original);
    this.#placeholders.set(original, placeholder);
    this.#last.set(kind, Math.max(this.#last.get(kind) ?? 0, Number(placeholder.slice(kind.length + 1)) || 0));
  }
}

/** The part of a placeholder before its number. */
export function kindOf(placeholder: string): PlaceholderKind {
  return placeholder.slice(0, placeholder.lastIndexOf("_")) as PlaceholderKind;
}
