import type { EntityKind } from "../../src/core/index.ts";
import { companyNames, familyNames, givenNames } from "./people.ts";

/** Numbers that are the same for the same seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** 0 to below 1. mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** `#` is a digit, `@` a capital letter, `x` a hexadecimal digit, `*` a letter or digit, `^` a digit from 2 to 9; the rest stays. */
  fill(pattern: string): string {
    return pattern.replaceAll(/[#@x*^]/g, (sign) => {
      if (sign === "#") return String(this.below(10));
      if (sign === "^") return String(2 + this.below(8));
      if (sign === "@") return this.pick(Array.from("ABCDEFGHJKLMNPRSTWXYZ"));
      if (sign === "x") return this.pick(Array.from("0123456789abcdef"));
      return this.pick(Array.from("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"));
    });
  }
}

type Make = (dice: Dice) => string;

const pad = (value: number, length = 2) => String(value).padStart(length, "0");
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const plain = (name: string) =>
  name
    .normalize("NFD")
    .replaceAll(/[^A-Za-z]/g, "")
    .toLowerCase();
const person: Make = (dice) => `${dice.pick(givenNames)} ${dice.pick(familyNames)}`;
const company: Make = (dice) =>
  `${dice.pick(companyNames)} ${dice.pick(["Ltd", "Limited", "Inc.", "GmbH", "LLC", "plc", "B.V.", "S.A.", "AB", "Pty Ltd"])}`;

function date(dice: Dice, [from, to]: readonly [number, number]): { year: number; month: number; day: number } {
  return { year: from + dice.below(to - from), month: 1 + dice.below(12), day: 1 + dice.below(28) };
}

const birthDate: Make = (dice) => {
  const { year, month, day } = date(dice, [1940, 2006]);
  return dice.pick([
    `${year}-${pad(month)}-${pad(day)}`,
    `${pad(day)}/${pad(month)}/${year}`,
    `${day} ${monthNames[month - 1]} ${year}`,
    `${monthNames[month - 1]} ${day}, ${year}`,
    `${day}.${month}.${year}`,
    `${pad(day)}-${monthNames[month - 1]!.slice(0, 3)}-${year}`,
  ]);
};

/** Digits that end with the check digit by Luhn. */
function withLuhn(digits: string): string {
  const sum = Array.from(digits)
    .toReversed()
    .reduce(
      (total, digit, index) =>
        total + (index % 2 === 0 ? (Number(digit) * 2 > 9 ? Number(digit) * 2 - 9 : Number(digit) * 2) : Number(digit)),
      0,
    );
  return digits + ((10 - (sum % 10)) % 10);
}

const card: Make = (dice) => {
  const american = dice.below(6) === 0;
  const digits = withLuhn(
    dice.fill(american ? "37############" : `${dice.pick(["4###", "51##", "55##", "2221", "6011"])}###########`),
  );
  const groups = american ? /^(.{4})(.{6})(.{5})$/ : /^(.{4})(.{4})(.{4})(.{4})$/;
  const separator = dice.pick([" ", "-", ""]);
  return digits.replace(groups, (...parts: string[]) => parts.slice(1, american ? 4 : 5).join(separator));
};

/** Account numbers of some countries with right check digits (ISO 7064, mod 97-10). */
const iban: Make = (dice) => {
  const [country, account] = dice.pick([
    ["GB", "NWBK##############"],
    ["DE", "##################"],
    ["FR", "#######################"],
    ["NL", "ABNA##########"],
    ["IE", "AIBK##############"],
    ["CH", "#################"],
    ["AT", "################"],
    ["PL", "########################"],
    ["LT", "################"],
    ["LU", "################"],
  ] as const);
  const bban = dice.fill(account);
  const number = `${bban}${country}00`.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  const check = 98n - (BigInt(number) % 97n);
  const whole = `${country}${pad(Number(check))}${bban}`;
  return dice.below(3) > 0 ? whole.replaceAll(/(.{4})(?=.)/g, "$1 ") : whole;
};

const nhs: Make = (dice) => {
  for (;;) {
    const digits = dice.fill("4########");
    const sum = Array.from(digits).reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) return `${digits}${check}`.replace(/^(...)(...)/, dice.pick(["$1 $2 ", "$1$2", "$1-$2-"]));
  }
};

const ni: Make = (dice) => {
  const prefix = dice.pick(["AB", "CE", "JG", "PW", "SX", "TH", "WK"]);
  return dice.fill(dice.pick([`${prefix} ## ## ## `, `${prefix}######`])) + dice.pick(["A", "B", "C", "D"]);
};

const postcode: Make = (dice) =>
  dice.pick([
    "SW1A 1AA",
    "M1 4BT",
    "EC2V 7HN",
    "LS1 5PL",
    "B33 8TH",
    "CR2 6XH",
    "DN55 1PT",
    "NW1 6XE",
    "G12 8QQ",
    "BT1 5GS",
    "CF10 3AT",
    "EH1 1YZ",
    "OX1 2JD",
    "BS8 1TH",
  ]);
const englishStreet: Make = (dice) =>
  dice.pick([
    `${1 + dice.below(200)} ${dice.pick(["High", "Station", "Church", "Victoria", "Kings", "Mill", "Queen's", "Park"])} ${dice.pick(["Street", "Road", "Lane", "Avenue"])}`,
    `Flat ${1 + dice.below(20)}, ${1 + dice.below(200)} ${dice.pick(["Camden", "Albert", "Windsor", "St John's"])} ${dice.pick(["Road", "Terrace", "Gardens", "Square"])}`,
    `${100 + dice.below(9000)} ${dice.pick(["N Main", "Oak Hill", "Sunset", "Elm", "W 42nd", "Martin Luther King"])} ${dice.pick(["St", "Ave", "Blvd", "Dr"])}`,
    `${100 + dice.below(900)} ${dice.pick(["Maple", "Lake Shore"])} ${dice.pick(["Drive", "Ave"])}, Apt ${1 + dice.below(30)}B`,
    `${dice.pick(["Rose Cottage", "The Old Rectory", "Unit 4 Riverside Business Park"])}, ${dice.pick(["Mill Lane", "Church End", "Harbour Way"])}`,
    `PO Box ${100 + dice.below(9000)}`,
  ]);
const email: Make = (dice) => {
  const [first, last] = [plain(dice.pick(givenNames)), plain(dice.pick(familyNames))];
  const local = dice.pick([
    `${first}.${last}`,
    first,
    `${first.charAt(0)}${last}`,
    `${first}_${last}${dice.below(99)}`,
    `${first}+news`,
    last,
  ]);
  return `${local}@${dice.pick(["acme.com", "gmail.com", "northwind.co.uk", "web.de", "orange.fr", "mail.example.org", "kestrel-analytics.io", "uni-köln.de"])}`;
};
const ukPhone: Make = (dice) =>
  dice.fill(
    dice.pick([
      "07### ######",
      "07#########",
      "020 7### ####",
      "0161 ### ####",
      "+44 7### ######",
      "+44 (0)20 7### ####",
      "(0121) ### ####",
      "01865 ######",
    ]),
  );

/** How values of each label are made, and what kind they are. */
export const labelled: Readonly<Record<string, { readonly kind: EntityKind; readonly make: Make }>> = {
  PERSON: { kind: "PERSON", make: person },
  FIRST: { kind: "PERSON", make: (dice) => dice.pick(givenNames) },
  SURNAME: { kind: "PERSON", make: (dice) => dice.pick(familyNames) },
  COMPANY: { kind: "COMPANY", make: company },
  EMAIL: { kind: "EMAIL", make: email },
  PHONE: { kind: "PHONE", make: ukPhone },
  PHONE_US: {
    kind: "PHONE",
    make: (dice) =>
      dice.fill(dice.pick(["(212) 555-01##", "212-555-01##", "+1 415 555 01##", "415.555.01##", "1-800-555-01##"])),
  },
  PHONE_DE: {
    kind: "PHONE",
    make: (dice) =>
      dice.fill(dice.pick(["+49 30 ^######", "030 / ^######", "0171 ^######", "+49 (0)89 ^#####-0", "0221/^######"])),
  },
  PHONE_FR: {
    kind: "PHONE",
    make: (dice) => dice.fill(dice.pick(["06 ## ## ## ##", "06########", "+33 6 ## ## ## ##", "01.42.##.##.##"])),
  },
  PHONE_INTL: {
    kind: "PHONE",
    make: (dice) =>
      dice.fill(
        dice.pick([
          "+31 6 ^#######",
          "+39 06 ^#######",
          "+34 612 ### ###",
          "+91 98### #####",
          "+61 412 ### ###",
          "0034 612 ### ###",
          "+353 86 ### ####",
          "+48 601 ### ###",
        ]),
      ),
  },
  ADDRESS: { kind: "ADDRESS", make: englishStreet },
  ADDRESS_DE: {
    kind: "ADDRESS",
    make: (dice) =>
      `${dice.pick(["Hauptstraße", "Berliner Straße", "Goetheweg", "Schillerplatz", "Lindenallee", "Am Stadtpark", "Unter den Linden"])} ${1 + dice.below(150)}`,
  },
  ADDRESS_FR: {
    kind: "ADDRESS",
    make: (dice) =>
      `${1 + dice.below(150)}${dice.pick(["", " bis", ","])} ${dice.pick(["rue de la Paix", "avenue Victor Hugo", "boulevard Saint-Michel", "place des Vosges", "chemin du Moulin"])}`,
  },
  ADDRESS_ES: {
    kind: "ADDRESS",
    make: (dice) =>
      `${dice.pick(["Calle Mayor", "Avenida de la Constitución", "Plaza de España", "Calle del Carmen"])} ${1 + dice.below(150)}`,
  },
  ADDRESS_NL: {
    kind: "ADDRESS",
    make: (dice) =>
      `${dice.pick(["Keizersgracht", "Dorpsstraat", "Stationsplein", "Beethovenlaan", "Lange Voorhout"])} ${1 + dice.below(300)}`,
  },
  POSTCODE: { kind: "POSTCODE", make: postcode },
  ZIP: {
    kind: "POSTCODE",
    make: (dice) => `${dice.pick(["IL", "CA", "NY", "TX", "MA"])} ${dice.fill("^####")}`,
  },
  ZIP5: { kind: "POSTCODE", make: (dice) => dice.fill("^####") },
  IBAN: { kind: "IBAN", make: iban },
  CARD: { kind: "CARD", make: card },
  NI_NUMBER: { kind: "NI_NUMBER", make: ni },
  NHS_NUMBER: { kind: "NHS_NUMBER", make: nhs },
  SSN: {
    kind: "SSN",
    make: (dice) => dice.fill(dice.pick(["21#-#^-^###", "51#-1#-1###", "41# ^# ^###", "32#^#^###"])),
  },
  DATE_OF_BIRTH: { kind: "DATE_OF_BIRTH", make: birthDate },
  DATE_OF_BIRTH_DE: {
    kind: "DATE_OF_BIRTH",
    make: (dice) => {
      const { year, month, day } = date(dice, [1940, 2006]);
      return `${pad(day)}.${pad(month)}.${year}`;
    },
  },
  IP: {
    kind: "IP",
    make: (dice) =>
      dice.pick([
        `203.0.113.${dice.below(255)}`,
        `198.51.100.${dice.below(255)}`,
        `10.${dice.below(255)}.${dice.below(255)}.7`,
        `82.${dice.below(255)}.14.${dice.below(255)}`,
      ]),
  },
  IP6: {
    kind: "IP",
    make: (dice) =>
      dice.fill(
        dice.pick(["2001:db8::8a2e:xxxx:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:73xx", "fe80::1ff:fe23:4567:89xx"]),
      ),
  },
  API_KEY: {
    kind: "KEY",
    make: (dice) =>
      dice.fill(
        dice.pick([
          `sk-proj-${"*".repeat(40)}`,
          `sk_live_${"*".repeat(24)}`,
          `ghp_${"*".repeat(36)}`,
          "AKIA@@@@#@@@@#@@@@#@",
          "x".repeat(40),
          `AIza${"*".repeat(35)}`,
        ]),
      ),
  },
  TOKEN: {
    kind: "KEY",
    make: (dice) =>
      dice.fill(
        dice.pick([
          `eyJhbGciOiJIUzI1NiJ9.eyJ${"*".repeat(40)}.${"*".repeat(43)}`,
          `xoxb-${"#".repeat(11)}-${"*".repeat(24)}`,
          "*".repeat(32),
        ]),
      ),
  },
  PASSWORD: {
    kind: "KEY",
    make: (dice) => dice.fill(dice.pick(["Summer2024!", "hunter##", "P@ssw0rd##", "blue-Tiger-##"])),
  },
};

/** What looks like a value and is none. */
export const negatives: Readonly<Record<string, Make>> = {
  order: (dice) => dice.fill(dice.pick(["^#######", "ORD-#######", "4##-#######-#######", "SO^#####", "00######"])),
  invoice: (dice) => dice.fill(dice.pick(["INV-2024-#####", "RE-2024/####", "F2024-###", "AB-10####"])),
  ticket: (dice) => dice.fill(dice.pick(["#^####", "SUP-####", "TCK^######"])),
  tracking: (dice) => dice.fill(dice.pick(["1Z999AA1#########", "JD01460000######", "RR#########GB"])),
  sku: (dice) => dice.fill(dice.pick(["AX-100-###", "WID-BLU-##", "B0@#@@#@#@"])),
  version: (dice) => dice.fill(dice.pick(["2.14.#", "10.0.1#", "v4.##.#", "124.0.####.1##", "3.0.0-rc.#"])),
  uuid: (dice) => dice.fill("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"),
  sha: (dice) => dice.fill("x".repeat(40)),
  code: (dice) => dice.fill(dice.pick(["^###", "E^###", "^#####"])),
  price: (dice) => dice.fill(dice.pick(["£^,###.00", "$^##.##", "EUR ^#,###", "^### €"])),
  price_de: (dice) => dice.fill(dice.pick(["^.###,00 €", "^##,## EUR"])),
  date: (dice) => {
    const { year, month, day } = date(dice, [2019, 2027]);
    return dice.pick([
      `${year}-${pad(month)}-${pad(day)}`,
      `${day} ${monthNames[month - 1]} ${year}`,
      `${pad(day)}/${pad(month)}/${year}`,
    ]);
  },
  date_de: (dice) => {
    const { year, month, day } = date(dice, [2019, 2027]);
    return `${pad(day)}.${pad(month)}.${year}`;
  },
  datetime: (dice) => {
    const { year, month, day } = date(dice, [2019, 2027]);
    return `${year}-${pad(month)}-${pad(day)}T${pad(dice.below(24))}:${pad(dice.below(60))}:00Z`;
  },
};
