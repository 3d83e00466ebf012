import type { EntityKind, Json } from "../../src/core/index.ts";
import { heldOutTexts } from "./held-out.ts";
import { forms, templates } from "./templates.ts";
import { Dice, labelled, negatives } from "./values.ts";

/** Where a value stands, and what it is. */
export interface Label {
  readonly start: number;
  readonly end: number;
  readonly kind: EntityKind;
}

/** A text whose values are known. */
export interface LabelledText {
  readonly text: string;
  readonly labels: readonly Label[];
  /** Of a form: the event that it came as. */
  readonly payload?: Json;
}

/** Every template several times over with other values; the same ones for the same seed. */
export function labelledTexts(seed: number, times: number): LabelledText[] {
  const dice = new Dice(seed);
  return Array.from({ length: times }, () => templates.map((template) => fill(template, dice))).flat();
}

/** Every form several times over, as the JSON text in which its fields are sent. */
export function labelledForms(seed: number, times: number): LabelledText[] {
  const dice = new Dice(seed);
  return Array.from({ length: times }, () =>
    forms.map(({ fields, message }) => {
      const template = JSON.stringify({ ...fields, message });
      const filled = fill(template, dice);
      return { ...filled, payload: JSON.parse(filled.text) as Json };
    }),
  ).flat();
}

/** The texts that the rules were not made with. */
export function heldOut(): LabelledText[] {
  return heldOutTexts.map((marked) => {
    const labels: Label[] = [];
    let text = "";
    let from = 0;
    for (const match of marked.matchAll(/\[\[([A-Z_]+)\|(.+?)\]\]/g)) {
      const [mark, kind, value = ""] = match;
      text += marked.slice(from, match.index);
      labels.push({ start: text.length, end: text.length + value.length, kind: kind as EntityKind });
      text += value;
      from = match.index + mark.length;
    }
    return { text: text + marked.slice(from), labels };
  });
}

/** `{LABEL}` a new value, `{LABEL#1}` the same value each time, `{-negative}` nothing to find. */
function fill(template: string, dice: Dice): LabelledText {
  const labels: Label[] = [];
  const kept = new Map<string, string>();
  let text = "";
  let from = 0;
  for (const match of template.matchAll(/\{(-?)(\w+)(#\d)?\}/g)) {
    const [slot, isNegative, name = "", number] = match;
    text += template.slice(from, match.index);
    const made = isNegative ? negatives[name]!(dice) : (kept.get(slot) ?? labelled[name]!.make(dice));
    if (number !== undefined) kept.set(slot, made);
    // The state before a ZIP code is no part of it.
    const start = text.length + (name === "ZIP" ? 3 : 0);
    text += made;
    if (!isNegative) labels.push({ start, end: text.length, kind: labelled[name]!.kind });
    from = match.index + slot.length;
  }
  return { text: text + template.slice(from), labels };
}
