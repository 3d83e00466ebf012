import { entityWords } from "../gateway-words.ts";

interface MaskedTextProps {
  readonly text: string;
  /** The kinds of values that were masked, such as `PERSON`. A text that only looks like a placeholder of another kind is left alone. */
  readonly kinds: readonly string[];
}

/** A text as it was sent or came back, in which placeholders look masked. The values behind them are not here. */
export function MaskedText({ text, kinds }: MaskedTextProps) {
  if (kinds.length === 0) return text;
  // With a group around the whole pattern, every second piece is a placeholder.
  const pieces = text.split(placeholders(kinds));
  return pieces.map((piece, index) => (index % 2 === 1 ? <MaskChip key={index} placeholder={piece} /> : piece));
}

const placeholders = (kinds: readonly string[]): RegExp => new RegExp(`\\b((?:${kinds.join("|")})_\\d+)\\b`);

/** Whether placeholders of these kinds stand in a text. */
export const hasPlaceholder = (text: string, kinds: readonly string[]): boolean =>
  kinds.length > 0 && placeholders(kinds).test(text);

/** What stands for a masked value. */
function MaskChip({ placeholder }: { readonly placeholder: string }) {
  const kind = placeholder.replace(/_\d+$/, "");
  return (
    <span
      title={`Masked: ${entityWords(kind)}. The model did not see the value.`}
      className="rounded border border-dashed border-wait bg-wait-soft px-1 font-mono text-[11.5px]/[14px] whitespace-nowrap text-wait"
    >
      {placeholder}
    </span>
  );
}
