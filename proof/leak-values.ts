import { draw } from "./leads.ts";

/** Something that must not come to light, and the words by which it would be known. */
export interface Planted {
  /** For the verdict, such as `card of Zebulonsson`. */
  readonly name: string;
  /** As it is written in different places. */
  readonly forms: readonly string[];
}

/** What a flow of the experiment is given. */
export interface LeakLead {
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly company: string;
  readonly message: string;
  readonly contact: { readonly street: string; readonly postcode: string; readonly birthDate: string };
  /** Keys that a form made from what people wrote. */
  readonly answers: { readonly [question: string]: string };
}

/** Somebody made up. */
export interface Person {
  readonly lead: LeakLead;
  readonly values: readonly Planted[];
}

/** Two people, of fourteen values each; numbers are drawn, with right check digits. */
export function makePeople(seed: number): readonly [erased: Person, kept: Person] {
  const erased = {
    first: "Dana",
    last: "Zebulonsson",
    company: "Brackenhurst Freight Ltd",
    street: "221 Harrowdene Street",
  };
  const kept = {
    first: "Marcus",
    last: "Quartermayne",
    company: "Ottershaw Pumps GmbH",
    street: "48 Pellingbrook Road",
  };
  return [makePerson(seed, erased, "NW1 6XE", jsonWebToken), makePerson(seed, kept, "M20 2RN", accessToken)];
}

interface Identity {
  readonly first: string;
  readonly last: string;
  readonly company: string;
  readonly street: string;
}

function makePerson(seed: number, who: Identity, postcode: string, makeToken: (digits: Digits) => string): Person {
  const digits: Digits = (what, count) =>
    Array.from({ length: count }, (_item, at) => Math.floor(draw(seed, `${who.last}/${what}/${at}`) * 10)).join("");
  const { first, last, company, street } = who;
  const name = `${first} ${last}`;
  const mailbox = `${first}.${last}.${digits("email", 4)}`.toLowerCase();
  const email = `${mailbox}@mail-${digits("host", 4)}.example`;
  const mobile = digits("phone", 3);
  const phone = `+44 7700 900${mobile}`;
  const birthDate = `19${70 + (Number(digits("year", 1)) % 10)}-0${1 + (Number(digits("month", 1)) % 9)}-1${digits("day", 1)}`;
  const card = cardNumber(digits("card", 14));
  const iban = ibanOf(digits("iban", 14));
  const nhs = nhsNumber(digits("nhs", 9));
  const nationalInsurance = `JG${digits("ni", 6)}A`;
  const socialSecurity = `5${digits("ssn", 2)}-2${digits("group", 1)}-7${digits("serial", 3)}`;
  const address = `203.0.113.1${digits("ip", 2)}`;
  const token = makeToken(digits);
  const message = [
    `Hello, this is ${name} of ${company}. Write to ${email} or call ${phone} (07700 900${mobile} from here).`,
    `I live at ${street}, ${postcode}; date of birth: ${birthDate}. NHS number ${nhs}, NI ${nationalInsurance}, SSN ${socialSecurity}.`,
    `Pay by card ${card} or from IBAN ${iban}. My server is ${address} and takes "Bearer ${token}".`,
    `Regards,\n${name}`,
  ].join("\n");
  const of = (what: string, ...forms: string[]): Planted => ({ name: `${what} of ${last}`, forms });
  return {
    lead: {
      name,
      email,
      phone,
      company,
      message,
      contact: { street, postcode, birthDate },
      answers: { [`What does ${email} want?`]: `Ask ${name}` },
    },
    values: [
      of("name", name, last),
      of("e-mail address", email, mailbox),
      of("phone", phone, `07700 900${mobile}`),
      of("company", company),
      of("street", street),
      of("postcode", postcode),
      of("date of birth", birthDate),
      of("card", card),
      of("IBAN", iban),
      of("NHS number", nhs, nhs.replaceAll(" ", "")),
      of("NI number", nationalInsurance),
      of("SSN", socialSecurity),
      of("IP address", address),
      of("token", token),
    ],
  };
}

type Digits = (what: string, count: number) => string;

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function jsonWebToken(digits: Digits): string {
  return `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: digits("subject", 12) })}.${encode({ mac: digits("mac", 24) })}`;
}

function accessToken(digits: Digits): string {
  return `ghp_${BigInt(`1${digits("token", 50)}`)
    .toString(36)
    .padStart(36, "x")
    .slice(-36)}`;
}

/** With the check digit of Luhn. */
function cardNumber(fourteen: string): string {
  const body = `4${fourteen}`;
  const sum = Array.from(body, Number).reduce((total, digit, at) => {
    const doubled = digit * (at % 2 === 0 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return `${body}${(10 - (sum % 10)) % 10}`;
}

/** @see https://www.iso.org/standard/81090.html (ISO 13616): G is 16, B is 11, WEST is 32 14 28 29. */
function ibanOf(account: string): string {
  const rest = BigInt(`32142829${account}161100`) % 97n;
  return `GB${String(98n - rest).padStart(2, "0")}WEST${account}`;
}

/** The next number from `nine` on that has a check digit. @see https://www.datadictionary.nhs.uk/attributes/nhs_number.html */
function nhsNumber(nine: string): string {
  for (let start = Number(`9${nine.slice(1)}`); ; start += 1) {
    const digits = Array.from(String(start), Number);
    const check = 11 - (digits.reduce((sum, digit, at) => sum + digit * (10 - at), 0) % 11);
    if (check === 10) continue;
    return `${start}${check % 11}`.replace(/^(\d{3})(\d{3})(\d{4})$/, "$1 $2 $3");
  }
}
