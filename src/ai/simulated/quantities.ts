/** Figures and places in time that a text names. */
export interface Quantities {
  /** The largest number of seats, users, employees and the like, with the word; undefined when none is named. */
  readonly seats: { readonly count: number; readonly unit: string } | undefined;
  /** The largest amount of money, with how it is written. */
  readonly money: { readonly amount: number; readonly text: string } | undefined;
  /** By when: `by Friday`, `before 1 March`, `within 24 hours`. */
  readonly deadline: string | undefined;
  /** Days that are written out, as `2026-03-01`. */
  readonly dates: readonly string[];
  /** All plain numbers, in order. */
  readonly numbers: readonly number[];
}

const number = String.raw`(\d{1,3}(?:[.,  ]\d{3})+|\d{1,12}(?:[.,]\d{1,2})?)`;
const magnitude = String.raw`(?:\s?(k|m|bn|thousand|million|mio)\b)?`;
const currency = String.raw`(?:[$€£]|\b(?:usd|eur|gbp|chf|dollars?|euros?|pounds?|francs?)\b)`;
const units =
  "seats?|users?|employees|licen[cs]es?|people|persons?|agents?|staff|devices|machines|stores|locations|branches|offices|colleagues|" +
  "members|engineers|developers|drivers|sites|restaurants|hotels|vehicles|workstations|headcount|reps|mitarbeitern?|nutzern?|benutzern?|lizenzen|" +
  "arbeitsplätzen?|utilisateurs|postes|salariés|employés|collaborateurs|personnes|usuarios|empleados|puestos|personas|licencias";

const seatsPattern = new RegExp(`${number}${magnitude}\\+?[ -]?(?:[\\p{L}]{2,15} ){0,2}?(${units})(?!\\p{L})`, "giu");
const teamPattern = new RegExp(`\\bteam of (?:about |around |some )?${number}${magnitude}`, "giu");
const moneyPattern = new RegExp(`(?:${currency}\\s?${number}${magnitude}|${number}${magnitude}\\s?${currency})`, "giu");
const months = "january|february|march|april|may|june|july|august|september|october|november|december";
const days = "monday|tuesday|wednesday|thursday|friday|saturday|sunday";
const deadlinePattern = new RegExp(
  `\\b(?:by|before|until|no later than|bis|avant|antes del?)\\s+(?:the\\s+)?(?:next\\s+|end of (?:the |this |next )?)?` +
    `(?:${days}|(?:\\d{1,2}(?:st|nd|rd|th)?\\s+)?(?:${months})(?:\\s+\\d{1,2}\\b)?|q[1-4]|tomorrow|tonight|noon|week|month|quarter|year|day|` +
    `freitag|montag|ende|vendredi|lundi|viernes|lunes|\\d{4}-\\d{2}-\\d{2})|\\bwithin (?:the next )?\\d{1,3} (?:hours?|days?|weeks?)`,
  "iu",
);
const isoDate = /\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b/g;
const writtenDate = new RegExp(
  `\\b(\\d{1,2})(?:st|nd|rd|th)? (${months}),? (\\d{4})\\b|\\b(${months}) (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`,
  "giu",
);

/** Reads the figures of a text. */
export function readQuantities(text: string): Quantities {
  return {
    seats: largest([...seatCounts(text)], ({ count }) => count),
    money: largest([...amounts(text)], ({ amount }) => amount),
    deadline: deadlinePattern.exec(text)?.[0],
    dates: readDates(text),
    numbers: [...text.matchAll(new RegExp(number, "gu"))].map(([match]) => toNumber(match)),
  };
}

function* seatCounts(text: string) {
  for (const [, digits, suffix, unit = "seats"] of text.matchAll(seatsPattern)) {
    yield { count: toNumber(digits, suffix), unit: unit.replace(/^person$/i, "people") };
  }
  for (const [, digits, suffix] of text.matchAll(teamPattern))
    yield { count: toNumber(digits, suffix), unit: "people" };
}

function* amounts(text: string) {
  for (const [match, before, suffixBefore, after, suffixAfter] of text.matchAll(moneyPattern)) {
    yield { amount: toNumber(before ?? after, suffixBefore ?? suffixAfter), text: match.trim() };
  }
}

function readDates(text: string): string[] {
  const iso = [...text.matchAll(isoDate)].map(([match]) => match);
  const written = [...text.matchAll(writtenDate)].map(([, day1, month1, year1, month2, day2, year2]) => {
    const month = months.split("|").indexOf((month1 ?? month2 ?? "").toLowerCase()) + 1;
    return `${year1 ?? year2}-${pad(month)}-${pad(Number(day1 ?? day2))}`;
  });
  return [...iso, ...written].filter((date) => isCalendarDay(date));
}

/** The 31st of February is written, but is no day. */
function isCalendarDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(date);
}

function pad(part: number): string {
  return String(part).padStart(2, "0");
}

const magnitudes: { readonly [suffix: string]: number } = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  mio: 1e6,
  million: 1e6,
  bn: 1e9,
};

/** `1,200`, `1.200` and `1 200` are one thousand two hundred; `1.5k` is one and a half thousand. */
function toNumber(digits = "0", suffix = ""): number {
  const isGrouped = /^\d{1,3}(?:[.,  ]\d{3})+$/.test(digits) && suffix === "";
  const plain = isGrouped ? digits.replaceAll(/\D/g, "") : digits.replaceAll(/[  ]/g, "").replace(",", ".");
  const value = Number(plain) * (magnitudes[suffix.toLowerCase()] ?? 1);
  return Number.isFinite(value) ? value : 0;
}

function largest<T>(items: readonly T[], by: (item: T) => number): T | undefined {
  return items.toSorted((a, b) => by(b) - by(a))[0];
}
