import { type Rule, textBefore, wholeOf } from "./rule.ts";

const word = String.raw`(?:\p{Lu}[\p{L}\p{M}'’.-]{0,24}|\d{1,3}(?:st|nd|rd|th))`;
const streets =
  "Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Close|Crescent|Cres|Court|Ct|Place|Pl|Square|Sq|Terrace|Gardens|Grove|Boulevard|Blvd|" +
  "Highway|Hwy|Way|Parkway|Pkwy|Mews|Row|Hill|Gate|Green|Walk|Rise|View|Park|Quay|Wharf|Circle|Cir|Trail|Broadway|Alley|Bridge";
const room = String.raw`(?:Flat|Apartment|Apt|Unit|Suite|Ste|Floor|Room|Studio)\.? ?#?\w{1,5}`;

/** `Flat 2, 221B Baker Street`, `350 W 42nd St, Apt 4B`, `12 high street`. */
export const englishAddressRule: Rule = {
  kind: "ADDRESS",
  pattern: new RegExp(
    String.raw`(?<![\p{L}\p{N}.,-])(?:${room}[, ]{1,2})?\d{1,5}[A-Za-z]?(?:[-–/]\d{1,5}[A-Za-z]?)?,? ` +
      String.raw`(?:(?:${word} ){1,4}(?:${streets})|\p{Ll}{3,20} (?:street|road|avenue|lane|drive|crescent))(?![\p{L}\p{N}])\.?(?:,? (?:${room}|#\w{1,5})(?![\p{L}\p{N}]))?`,
    "gu",
  ),
};

const ownStreet = /(?<![\p{L}\p{N}])(?:\p{Lu}[\p{L}-]{1,24} )?\p{Lu}[\p{L}-]{0,30}$/u;

/** `Musterstraße 12`, `Berliner Str. 5a`, `Keizersgracht 123`. Begins at the end of the street's name. */
export const germanicAddressRule: Rule = {
  kind: "ADDRESS",
  pattern:
    /(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|ring|straat|gracht|laan|plein|kade|singel|dijk) \d{1,4} ?[a-h]?(?![\p{L}\p{N}])/giu,
  accept(candidate, text) {
    // The end of one long word, or a word of its own: "Berliner Straße".
    const name =
      ownStreet.exec(textBefore(text, candidate.index, 60)) ??
      /\p{Lu}[\p{L}-]{1,24} $/u.exec(textBefore(text, candidate.index, 26));
    return name === null ? [] : [{ start: candidate.index - name[0].length, end: wholeOf(candidate).end }];
  },
};

/** `Am Stadtpark 9`, `Unter den Linden 5`; not `Am Montag 3`. */
export const prepositionAddressRule: Rule = {
  kind: "ADDRESS",
  pattern:
    /(?<!\p{L})(?:Am|An de[rnm]|Auf de[rm]|Im|In de[rn]|Unter den|Zum|Zur|Hinter de[rm]|Vor de[rm]) (?!\p{L}+(?:tag|och|abend) )(?!Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\p{Lu}[\p{L}-]{2,24} \d{1,3}[a-h]?(?![\p{L}\p{N}])/gu,
};

const joined = String.raw`(?:(?:de|du|des|la|le|les|del|della|dello|dei|degli|do|da|dos|das|los|las|y|e) |[dl]['’]){0,3}`;

/** `Rose Cottage, Mill Lane`: a house with a name. */
export const namedHouseRule: Rule = {
  kind: "ADDRESS",
  pattern: new RegExp(
    String.raw`(?=\p{Lu})(?<![\p{L}\p{N}])(?:${room}[, ]{1,2})?(?:${word} ){1,4}(?:Cottage|House|Farm|Lodge|Hall|Rectory|Vicarage|Barn|Mill|Villa|Court|Manor|Park|Estate|Building|Tower), ` +
      String.raw`(?:${word} ){1,3}(?:${streets}|End|Hill)(?![\p{L}\p{N}])`,
    "gu",
  ),
};

/** `12 bis, rue de la Paix`, `5 avenue Victor Hugo`. */
export const frenchAddressRule: Rule = {
  kind: "ADDRESS",
  pattern: new RegExp(
    String.raw`(?<![\p{L}\p{N}.,-])\d{1,4}(?: ?(?:bis|ter|quater))?,? (?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d|[Pp]lace|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Qq]uai|[Cc]ours|[Rr]oute|[Ss]quare) ` +
      String.raw`${joined}\p{L}[\p{L}'’-]{1,24}(?: ${joined}\p{Lu}[\p{L}'’-]{1,24}){0,3}`,
    "gu",
  ),
};

/** `Calle Mayor 12`, `Via Garibaldi, 5`, `Rua Augusta 100`. */
export const southernAddressRule: Rule = {
  kind: "ADDRESS",
  pattern: new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:Calle|C\/|Avenida|Avda?\.|Plaza|Paseo|Carrer|Via|Viale|Piazza|Corso|Rua|Praça|Largo|Travessa) ?` +
      String.raw`${joined}\p{Lu}[\p{L}'’-]{1,24}(?: ${joined}\p{Lu}[\p{L}'’-]{1,24}){0,3},? (?:n[º°.]? ?)?\d{1,4}(?![\p{L}\p{N}])`,
    "gu",
  ),
};

export const postBoxRule: Rule = {
  kind: "ADDRESS",
  pattern: /(?<![\p{L}\p{N}])(?:P\.? ?O\.? ?Box|Postfach|Apartado|Postbus|Boîte Postale) \d{1,6}(?![\p{L}\p{N}])/giu,
};
