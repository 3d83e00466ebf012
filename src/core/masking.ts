/** The kinds of personal and secret values that are looked for before anything is sent to a model. */
export const entityKinds = [
  "PERSON",
  "EMAIL",
  "PHONE",
  "COMPANY",
  "ADDRESS",
  "POSTCODE",
  "IBAN",
  "CARD",
  "NI_NUMBER",
  "NHS_NUMBER",
  "SSN",
  "DATE_OF_BIRTH",
  "IP",
  "KEY",
] as const;

/** A kind of value, and the word that its placeholders begin with: `PERSON_1`. */
export type EntityKind = (typeof entityKinds)[number];

/**
 * What happens to a value of a kind.
 * - `mask`: a placeholder stands for it; the model never sees it.
 * - `allow`: it is sent as it is.
 * - `block`: the call is refused before anything is sent.
 */
export type MaskAction = "mask" | "allow" | "block";

/** What happens to each kind. Default of every kind: `mask`. */
export type MaskPolicy = { readonly [Kind in EntityKind]?: MaskAction };
