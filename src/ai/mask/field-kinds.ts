import { isIP } from "node:net";
import type { EntityKind } from "../../core/index.ts";
import { commonWords } from "./common-words.ts";

/** Splits the name of a field into lower-case words: `billingEmail`, `billing_email` and `Billing e-mail` are the same. */
export function wordsOf(fieldName: string): string[] {
  const spaced = fieldName
    .slice(0, 100)
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .replaceAll("e-mail", "email");
  return spaced.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

/** A kind, the names of fields that hold it, and how such a value looks. The first that fits counts. */
interface FieldKind {
  readonly kind: EntityKind;
  /** Matched against the words of a field's name, joined by spaces. */
  readonly name: RegExp;
  readonly fits: (value: string) => boolean;
}

const digitsIn = (value: string) => value.replaceAll(/\D/g, "").length;
const hasLetter = (value: string) => /\p{L}/u.test(value);
const isShort = (value: string, most: number) => value.length >= 2 && value.length <= most;
const isWebAddress = (value: string) => /^(?:https?:|www\.)/i.test(value);

const fieldKinds: readonly FieldKind[] = [
  { kind: "IP", name: /\b(?:ip|ip address|remote addr|ip addr)$/, fits: (value) => isIP(value) !== 0 },
  { kind: "EMAIL", name: /\b(?:emails?|mail|correo|courriel)\b/, fits: (value) => /^[^\s@]+@[^\s@]+$/.test(value) },
  { kind: "IBAN", name: /\biban\b/, fits: (value) => /^[A-Za-z]{2}\d{2}[A-Za-z\d -]{10,40}$/.test(value) },
  {
    kind: "CARD",
    name: /\b(?:card(?: number| no)?|pan|credit ?card)$/,
    fits: (value) => digitsIn(value) >= 12 && digitsIn(value) <= 19,
  },
  { kind: "NHS_NUMBER", name: /\bnhs\b/, fits: (value) => digitsIn(value) === 10 },
  {
    kind: "NI_NUMBER",
    name: /\b(?:nino|ni(?: number| no)?|national insurance(?: number| no)?)$/,
    fits: (value) => digitsIn(value) === 6,
  },
  { kind: "SSN", name: /\b(?:ssn|social security(?: number| no)?)$/, fits: (value) => digitsIn(value) === 9 },
  {
    kind: "DATE_OF_BIRTH",
    name: /\b(?:dob|date of birth|birth ?date|birth ?day|born(?: on)?|geburtsdatum|date de naissance|fecha de nacimiento)$/,
    fits: (value) => isShort(value, 40) && digitsIn(value) >= 3,
  },
  {
    kind: "PHONE",
    name: /\b(?:phones?|mobile|tel|telephone|telefon|telefono|téléphone|teléfono|cell|cellphone|handy|fax|whatsapp|sms)\b/,
    fits: (value) => value.length <= 40 && digitsIn(value) >= 6 && digitsIn(value) <= 18,
  },
  {
    kind: "POSTCODE",
    name: /\b(?:post ?code|postal ?code|zip(?: ?code)?|plz|postleitzahl|code postal|codigo postal|código postal)$/,
    fits: (value) => isShort(value, 12) && digitsIn(value) >= 2,
  },
  {
    kind: "ADDRESS",
    name: /\b(?:address(?: line)?(?: ?\d)?|addr|street(?: ?\d)?|street address|strasse|straße|adresse|direccion|dirección|indirizzo|adres)$/,
    fits: (value) =>
      isShort(value, 300) &&
      value.length >= 5 &&
      hasLetter(value) &&
      !value.includes("@") &&
      !isWebAddress(value) &&
      isIP(value) === 0,
  },
  {
    kind: "KEY",
    name: /\b(?:password|passwd|pwd|passphrase|secret|token|api ?key|access ?key|client secret)$/,
    fits: (value) => value.length >= 6 && value.length <= 5000 && !/\s/.test(value),
  },
  {
    kind: "COMPANY",
    name: /\b(?:company|organi[sz]ation|organisatie|org|employer|firm|firma|entreprise|empresa|azienda|bedrijf)(?: name)?$/,
    fits: (value) => isShort(value, 120) && hasLetter(value) && !value.includes("@") && !isWebAddress(value),
  },
  {
    kind: "PERSON",
    name: new RegExp(
      String.raw`^(?:(?:your|my|the|primary|main|emergency|billing|shipping|sales|account|legal|lead) )*(?:names?|contacts?|vorname|nachname|nom|prénom|prenom|nombre|apellidos?|nome|cognome|naam|voornaam|achternaam)$` +
        String.raw`|\b(?:full|first|last|given|family|middle|maiden|display|contact|customer|client|patient|employee|applicant|sender|recipient|cardholder|card ?holder|guest|candidate|lead|person|user|owner|author|attendee|member|student|tenant|account holder|holder|from|to|reviewer|manager|billing|shipping|agent|requester|reporter|assignee|caller) names?$` +
        String.raw`|\b(?:full ?names?|first ?names?|last ?names?|fname|lname|surnames?|forenames?|contact person|attendees?|recipients?|signatory|signatories|cardholder|participants?|passengers?|requester|reporter|assignee|caller|salutation name|account holder|beneficiary|next of kin|line manager)$`,
    ),
    fits: (value) =>
      isShort(value, 100) &&
      hasLetter(value) &&
      !/[@/\\{}<>=]/.test(value) &&
      digitsIn(value) <= 2 &&
      value.split(/\s+/).length <= 6 &&
      // A placeholder of a form ("Customer", "N/A") is nobody's name, and would be masked wherever the word stands.
      !(commonWords.has(value.toLowerCase()) && value === value.toLowerCase()),
  },
];

/** A `name` in an object of one of these names is the name of a thing. */
const things =
  /\b(?:products?|items?|plans?|files?|attachments?|campaigns?|projects?|events?|categor(?:y|ies)|tags?|lists?|status|stages?|pipelines?|countr(?:y|ies)|city|state|region|currency|forms?|fields?|properties|apps?|applications?|channels?|workspaces?|repositor(?:y|ies)|departments?|teams?|roles?|types?|source|integrations?|queues?|templates?|services?|skus?|variants?|line items?|plugins?|devices?|browser|os|model|models|labels?|groups?|folders?|workflows?)$/;
const companies = /\b(?:company|companies|organi[sz]ations?|org|employer|firm|business|supplier|vendor)$/;

/**
 * The kind of a value by the name of its field, and of the object that the field is in.
 *
 * @param parent name of the object; empty for none.
 */
export function kindOfField(fieldName: string, parent: string, value: string): EntityKind | undefined {
  const name = wordsOf(fieldName).join(" ");
  const found = fieldKinds.find((candidate) => candidate.name.test(name) && candidate.fits(value))?.kind;
  const isBareName = found === "PERSON" && /^(?:name|nom|nombre|nome|naam)s?$/.test(name);
  if (!isBareName) return found;
  const owner = wordsOf(parent).join(" ");
  if (companies.test(owner)) return "COMPANY";
  return things.test(owner) ? undefined : "PERSON";
}
