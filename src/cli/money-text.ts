/** Money as people read it: `$1.50`, `$0.0034`; down to a micro-dollar, without zeros at the end beyond cents. */
export function usdText(microUsd: number): string {
  return `$${(microUsd / 1_000_000).toFixed(6).replace(/0{1,4}$/, "")}`;
}

/** US dollars for a million tokens: `$0.25`. */
export function priceText(usdPerMillion: number): string {
  return usdText(Math.round(usdPerMillion * 1_000_000));
}

/** A count with its thousands set apart: `1,234,567`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}
