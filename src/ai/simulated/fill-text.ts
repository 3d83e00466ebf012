import { sampleOf } from "./pattern-sample.ts";
import { bareName, type Reading } from "./reading.ts";
import { numberOr, type SchemaNode } from "./schema-node.ts";
import { compose, purposeOf, shorten, simulatedMark } from "./sentences.ts";

/** Gives a text that fits a schema: quoted from the data where the name or format asks for a part of it, else composed and marked. */
export function fillText(name: string, schema: SchemaNode, reading: Reading): string {
  const format = typeof schema["format"] === "string" ? schema["format"] : "";
  const quoted = byFormat(format, reading) ?? quotedText(name, reading);
  if (typeof schema["pattern"] === "string") return byPattern(schema["pattern"], quoted);
  const text = quoted ?? fallbackOf(format, name) ?? simulatedMark + compose(purposeOf(name) ?? "intent", reading);
  // A format is not cut: half an address is none.
  const isFormatted = format !== "" && text === (byFormat(format, reading) ?? fallbackOf(format, name));
  return isFormatted ? text : toLength(text, schema);
}

/** A text that the data itself has for a name; undefined when it has none. */
export function quotedText(name: string, reading: Reading): string | undefined {
  const key = bareName(name);
  const sent = reading.fields.get(key);
  if (sent !== undefined && sent !== "") return String(sent);
  return extractors.find(([pattern]) => pattern.test(key))?.[1](reading);
}

const emailPattern = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}/;
const urlPattern = /https?:\/\/[^\s<>"')]{3,200}/;
const phonePattern = /\+?\d[\d ()/-]{6,18}\d/;

const extractors: readonly (readonly [RegExp, (reading: Reading) => string | undefined])[] = [
  [/e?mail(?:address)?$/, ({ text }) => emailPattern.exec(text)?.[0]],
  [/url|website|link|homepage/, ({ text }) => urlPattern.exec(text)?.[0]],
  [/phone|telephone|mobile/, ({ text }) => phonePattern.exec(text)?.[0]],
  [/deadline|duedate|timeline|timeframe/, ({ quantities }) => quantities.deadline ?? quantities.dates[0]],
  [/date$/, ({ quantities }) => quantities.dates[0]],
  [/budget|amount/, ({ quantities }) => quantities.money?.text],
  [/language|locale/, ({ text }) => languageOf(text)],
];

/** Whether a name asks for a part of the data, and so has no value when the data lacks it. */
export function asksForPart(name: string): boolean {
  const key = bareName(name);
  return extractors.some(([pattern]) => pattern.test(key)) || identity.test(key);
}

const identity =
  /(?:^|first|last|full|company|contact|product|person|customer)name$|^(?:company|organi[sz]ation|country|city|address|currency)$/;

/** Stands for a fact that the data does not hold. */
function fallbackOf(format: string, name: string): string | undefined {
  return formats[format]?.without ?? (asksForPart(name) ? "unknown" : undefined);
}

function byFormat(format: string, reading: Reading): string | undefined {
  return formats[format]?.from?.(reading);
}

interface Format {
  readonly from?: (reading: Reading) => string | undefined;
  readonly without: string;
}

const formats: { readonly [format: string]: Format } = {
  email: {
    from: ({ text, fields }) => emailPattern.exec(`${text}\n${fields.get("email") ?? ""}`)?.[0],
    without: "simulated@example.com",
  },
  uri: { from: ({ text }) => urlPattern.exec(text)?.[0], without: "https://example.com/simulated" },
  url: { from: ({ text }) => urlPattern.exec(text)?.[0], without: "https://example.com/simulated" },
  date: { from: ({ quantities }) => quantities.dates[0], without: "2000-01-01" },
  "date-time": {
    from: ({ quantities }) => quantities.dates[0] && `${quantities.dates[0]}T00:00:00Z`,
    without: "2000-01-01T00:00:00Z",
  },
  time: { without: "00:00:00" },
  duration: { without: "P1D" },
  uuid: { without: "00000000-0000-4000-8000-000000000000" },
  ipv4: { without: "192.0.2.1" },
  ipv6: { without: "2001:db8::1" },
  hostname: { without: "simulated.example.com" },
};

function byPattern(pattern: string, quoted: string | undefined): string {
  const regex = new RegExp(pattern, "u");
  const candidates = [
    quoted,
    ...Object.values(formats).map(({ without }) => without),
    `${simulatedMark}answer`,
    "simulated",
    "1",
  ];
  return candidates.find((text) => text !== undefined && regex.test(text)) ?? sampleOf(pattern);
}

function toLength(text: string, schema: SchemaNode): string {
  const short = shorten(text, numberOr(schema["maxLength"], 2000)).toWellFormed();
  // A schema counts characters, of which some take two places of a string.
  return short + ".".repeat(Math.max(0, numberOr(schema["minLength"], 0) - Array.from(short).length));
}

const commonWords: { readonly [language: string]: RegExp } = {
  de: /\b(?:wir|und|nicht|bitte|ich|eine?n?|für|der|das)\b/gi,
  fr: /\b(?:nous|vous|bonjour|pour|est|les|une?|avec|pas)\b/gi,
  es: /\b(?:nosotros|hola|para|una?|con|los|por|necesitamos|el)\b/gi,
  en: /\b(?:we|and|not|please|the|for|you|is|to)\b/gi,
};

function languageOf(text: string): string {
  const counts = Object.entries(commonWords).map(([language, words]) => ({
    language,
    count: text.match(words)?.length ?? 0,
  }));
  return counts.toSorted((a, b) => b.count - a.count)[0]?.language ?? "en";
}
