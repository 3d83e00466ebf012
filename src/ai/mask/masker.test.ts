import * as fc from "fast-check";
import { expect, test } from "vitest";
import { entityKinds, type SluiceError } from "../../core/index.ts";
import { commonWords } from "./common-words.ts";
import { toReadable } from "./readable-text.ts";
import {
  builtInDetectors,
  createMasker,
  type Detector,
  type Finding,
  type KnownValue,
  knownValuesOf,
  normaliseSubject,
  restoreText,
} from "./index.ts";

const detectors = builtInDetectors();
const noPolicy = { policy: {}, known: [], detectors };
const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) => thrown as SluiceError,
  );
/** A detector that finds a word wherever it stands. */
const finds = (word: string, kind: Finding["kind"], name = "test"): Detector => ({
  name,
  find: async (texts) =>
    texts.map((text) =>
      [...text.matchAll(new RegExp(word, "g"))].map(({ index }) => ({
        start: index,
        end: index + word.length,
        kind,
        source: name,
      })),
    ),
});

const known: KnownValue[] = [
  { kind: "PERSON", value: "Jane Smith" },
  { kind: "PERSON", value: "Jane" },
  { kind: "EMAIL", value: "jane@company.com" },
  { kind: "PHONE", value: "+44 20 7946 0958" },
  { kind: "COMPANY", value: "Smith & Söhne 😀" },
  { kind: "COMPANY", value: "PERSON_1" },
];
const fragment = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(
    "PERSON_1",
    "TEXT_2",
    "EMAIL_12",
    "PERSON_",
    "ZIP_1",
    "_1",
    "1",
    " ",
    "\n",
    '"',
    "\\",
    "\\n",
    "\\u003c",
    "\\u00e9",
  ),
  fc.constantFrom(
    ...known.map(({ value }) => value),
    "JANE SMITH",
    "020 7946 0958",
    "Jane's",
    "4111 1111 1111 1111",
    "1.2.3.4",
  ),
  fc.constantFrom(
    "GB82 WEST 1234 5698 7654 32",
    "AB 12 34 56 C",
    "a@b.co",
    "Dear Kwame Boateng,",
    "password: hunter2!",
    "\ud83d",
    "\ude00",
  ),
);
const plainText = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(""));
const text = fc.oneof(
  plainText,
  plainText.map((value) => JSON.stringify({ value, nested: JSON.stringify([value]) })),
);
const placeholder = new RegExp(`(?:${[...entityKinds, "TEXT"].join("|")})_\\d+`, "g");
/** Findings anywhere, as a poor detector might give them. */
const wildFindings = fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 9 }), fc.constantFrom(...entityKinds)), {
  maxLength: 6,
});

test("what was masked is restored exactly, whatever the texts hold, and no value that was masked stands in them any more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), wildFindings, async (texts, wild) => {
      const random: Detector = {
        name: "random",
        find: async (asked) =>
          asked.map(({ length }) =>
            wild
              .map(([start, size, kind]) => ({ start, end: Math.min(length, start + size), kind, source: "random" }))
              .filter(({ start, end }) => start < end),
          ),
      };
      const masker = createMasker({ policy: {}, known, detectors: [...detectors, random] });
      const masked = await masker.mask(texts);
      expect(masked.texts.map((each) => restoreText(each, masked.originals))).toEqual(texts);
      expect(masked.texts.map((each) => restoreText(each, masker.originals))).toEqual(texts);
      texts.forEach((original, index) => {
        const covered = (masked.texts[index] ?? "").replaceAll(placeholder, (each) =>
          "\u2588".repeat(masked.originals[each]?.length ?? 0),
        );
        const remaining = Object.values(masked.originals).filter((value) => standsIn(original, covered, value));
        expect(remaining).toEqual([]);
      });
      // Across calls, and by a later masker that has the originals from JSON.
      const later = createMasker({
        policy: {},
        known,
        detectors: [...detectors, random],
        originals: JSON.parse(JSON.stringify(masker.originals)) as Record<string, string>,
      });
      expect((await masker.mask(texts)).texts).toEqual(masked.texts);
      expect((await later.mask(texts)).texts).toEqual(masked.texts);
    }),
    { numRuns: 400 },
  );
});

/** Whether a value of three characters or more that stands in a text, outside of a longer word, is still there where the text is masked. */
function standsIn(original: string, covered: string, value: string): boolean {
  // Ordinary words are masked where they are names, and only there.
  if (value.length < 3 || commonWords.has(value.toLowerCase())) return false;
  const { readable } = toReadable(original);
  for (let at = covered.indexOf(value); at >= 0; at = covered.indexOf(value, at + 1)) {
    const before = readable.slice(0, at).replace(/\0+$/, "").slice(-1);
    const after = readable
      .slice(at + value.length)
      .replace(/^\0+/, "")
      .charAt(0);
    const isInside =
      (joins.test(value.charAt(0)) && joins.test(before)) || (joins.test(value.slice(-1)) && joins.test(after));
    if (!isInside) return true;
  }
  return false;
}

const joins = /[\p{L}\p{N}\p{M}]/u;

test("the same value has the same placeholder in all texts and calls, another spelling has its own", async () => {
  const masker = createMasker({ ...noPolicy, known });
  const first = await masker.mask(["Jane Smith called.", "Did jane smith call? JANE SMITH did."]);
  const second = await masker.mask(["For Jane Smith"]);
  expect(first.texts).toEqual(["PERSON_1 called.", "Did PERSON_2 call? PERSON_3 did."]);
  expect(second.texts).toEqual(["For PERSON_1"]);
  expect(second.originals).toEqual({ PERSON_1: "Jane Smith" });
  expect(masker.originals).toEqual({ PERSON_1: "Jane Smith", PERSON_2: "jane smith", PERSON_3: "JANE SMITH" });
});

test("a known name has precedence, and an e-mail address that holds it is masked as a whole", async () => {
  const masked = await createMasker({ ...noPolicy, known }).mask([
    "Jane Smith <jane.smith@elsewhere.org>, Jane Smithson",
  ]);
  expect(masked.texts[0]).toMatch(/^PERSON_1 <EMAIL_1>, /);
  expect(masked.originals).toMatchObject({ PERSON_1: "Jane Smith", EMAIL_1: "jane.smith@elsewhere.org" });
});

test("what one detector loses to another remains masked outside of it", async () => {
  const both = [finds("Jane Smith", "PERSON"), finds("Smith Street 5", "ADDRESS", "other")];
  const masked = await createMasker({ policy: {}, known: [], detectors: both }).mask(["At Jane Smith Street 5."]);
  expect(masked.texts).toEqual(["At PERSON_1 ADDRESS_1."]);
});

test("a value is masked wherever it stands once it was found anywhere", async () => {
  const masked = await createMasker(noPolicy).mask([
    "DOB: 12/03/1980",
    "The form says 12/03/1980, and 112/03/1980 is none.",
  ]);
  expect(masked.texts).toEqual(["DOB: DATE_OF_BIRTH_1", "The form says DATE_OF_BIRTH_1, and 112/03/1980 is none."]);
});

test("text that looks like a placeholder comes back as it was", async () => {
  const texts = ["Write to PERSON_1 or ZIP_7", "Jane Smith is here"];
  const masked = await createMasker({ ...noPolicy, known }).mask(texts);
  expect(masked.texts[0]).toBe("Write to COMPANY_1 or ZTEXT_1");
  expect(masked.texts.map((each) => restoreText(each, masked.originals))).toEqual(texts);
  expect(masked.counts).toEqual({ COMPANY: 1, PERSON: 1 });
});

test("values inside JSON text are found, and their originals hold no escape sequences", async () => {
  const payload = {
    name: 'Jane "JJ" Smith',
    address: "12 High St\nLeeds",
    email: "jane@company.com",
    note: "Zoë: <zoe@b.co>",
  };
  const json = JSON.stringify(payload).replaceAll("<", String.raw`\u003c`);
  const masked = await createMasker({ ...noPolicy, known: knownValuesOf(payload) }).mask([json]);
  expect(masked.texts[0]).toBe(
    String.raw`{"name":"PERSON_1 \"PERSON_2\" PERSON_3","address":"ADDRESS_1\nADDRESS_2","email":"EMAIL_1","note":"PERSON_4: \u003cEMAIL_2>"}`,
  );
  expect(Object.values(masked.originals).filter((value) => value.includes("\\"))).toEqual([]);
  expect(restoreText(masked.texts[0] ?? "", masked.originals)).toBe(json);
});

test("JSON inside JSON, and letters written as escapes", async () => {
  const person = [{ kind: "PERSON", value: "Renée Dupont" }] as const;
  const nested = JSON.stringify({ arguments: JSON.stringify({ text: "hello\nRenée Dupont" }) });
  const ascii = String.raw`{"text":"Ren\u00e9e Dupont"}`;
  const masked = await createMasker({ policy: {}, known: person, detectors: [] }).mask([nested, ascii]);
  expect(masked.texts).toEqual([String.raw`{"arguments":"{\"text\":\"hello\\nPERSON_1\"}"}`, '{"text":"PERSON_2"}']);
});

test("a private key in JSON is one value", async () => {
  const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END PRIVATE KEY-----";
  const masked = await createMasker(noPolicy).mask([JSON.stringify({ pem })]);
  expect(masked.texts).toEqual(['{"pem":"KEY_1"}']);
});

test("known telephone numbers are found in every way to write them", async () => {
  const written = ["+442079460958", "020 7946 0958", "(020) 7946-0958", "0044 20 7946 0958", "+44 (0)20 7946 0958"];
  const phone = [{ kind: "PHONE", value: "+44 20 7946 0958" }] as const;
  const masked = await createMasker({ policy: {}, known: phone, detectors: [] }).mask(written);
  expect(masked.texts).toEqual(written.map((_, index) => `PHONE_${index + 1}`));
});

test("an ordinary word that is a known name is masked only where it is meant", async () => {
  const will = [{ kind: "PERSON", value: "will" }] as const;
  const masked = await createMasker({ policy: {}, known: will, detectors: [] }).mask([
    '{"name":"will"}',
    "Will, will you come?",
  ]);
  expect(masked.texts).toEqual(['{"name":"PERSON_1"}', "PERSON_2, will you come?"]);
});

test("names are found in scripts without spaces, and not inside other words", async () => {
  const names = [
    { kind: "PERSON", value: "李娜" },
    { kind: "PERSON", value: "Ana" },
  ] as const;
  const masked = await createMasker({ policy: {}, known: names, detectors: [] }).mask([
    "我是李娜。",
    "Ana has a banana, Anabel does not.",
  ]);
  expect(masked.texts).toEqual(["我是PERSON_1。", "PERSON_2 has a banana, Anabel does not."]);
});

test("an allowed kind is sent as it is, and is still a subject", async () => {
  const masked = await createMasker({ ...noPolicy, policy: { EMAIL: "allow" } }).mask([
    "Mail Jane@Company.com or 020 7946 0958",
  ]);
  expect(masked.texts).toEqual(["Mail Jane@Company.com or PHONE_1"]);
  expect(masked.subjects).toEqual([
    { kind: "EMAIL", value: "jane@company.com" },
    { kind: "PHONE", value: "+442079460958" },
  ]);
});

test("a blocked kind stops the call, names the kind and quotes nothing", async () => {
  const masker = createMasker({ ...noPolicy, policy: { CARD: "block", IBAN: "block" } });
  const error = await caught(masker.mask(["Card 4111 1111 1111 1111 of a@b.co"]));
  expect(error).toMatchObject({ code: "MASKING_BLOCKED", retryable: false, details: { kinds: ["CARD"] } });
  expect(JSON.stringify(error)).not.toMatch(/4111|a@b/);
  expect(masker.originals).toEqual({});
});

test("subjects: identifiers in one form, and whole names that the event gave", async () => {
  const masked = await createMasker({ ...noPolicy, known }).mask([
    "Jane Smith, Jane, NI ab123456c, GB82 WEST 1234 5698 7654 32, Dear Kwame",
  ]);
  expect(masked.subjects).toEqual([
    { kind: "PERSON", value: "jane smith" },
    { kind: "IBAN", value: "GB82WEST12345698765432" },
    { kind: "NI_NUMBER", value: "AB123456C" },
  ]);
  expect(await normaliseSubject({ kind: "PHONE", value: "07700 900123" })).toEqual({
    kind: "PHONE",
    value: "+447700900123",
  });
});

const throwing: Detector = { name: "broken", find: () => Promise.reject(new TypeError("jane@company.com")) };
const hanging: Detector = { name: "hanging", timeoutMs: 20, find: () => new Promise<never>(() => {}) };

test.for<readonly [string, Detector, boolean, RegExp]>([
  ["throws", throwing, true, /detector "broken" failed with TypeError/],
  ["hangs", hanging, true, /detector "hanging" gave no answer within 20 ms/],
  ["forgets a text", { name: "short", find: async () => [] }, false, /"short" gave findings that do not fit/],
  [
    "points outside the text",
    { name: "wide", find: async () => [[{ start: 0, end: 99, kind: "IP", source: "wide" }]] },
    false,
    /"wide"/,
  ],
  [
    "points between characters",
    { name: "half", find: async () => [[{ start: 0.5, end: 2, kind: "IP", source: "half" }]] },
    false,
    /"half"/,
  ],
] as const)("a detector that %s stops the call", async ([, detector, retryable, message]) => {
  const masker = createMasker({ policy: {}, known, detectors: [...detectors, detector] });
  const error = await caught(masker.mask(["jane@company.com wrote"]));
  expect(error).toMatchObject({ code: "MASKING_FAILED", retryable });
  expect(error?.message).toMatch(message);
  expect(JSON.stringify(error)).not.toContain("jane@company.com");
  expect(masker.originals).toEqual({});
});

test("when one detector fails the others are told to stop", async () => {
  const told = Promise.withResolvers<boolean>();
  const patient: Detector = {
    name: "patient",
    find: (_, signal) => new Promise(() => signal?.addEventListener("abort", () => told.resolve(true))),
  };
  expect(
    await caught(createMasker({ policy: {}, known: [], detectors: [patient, throwing] }).mask(["x"])),
  ).toMatchObject({ code: "MASKING_FAILED" });
  expect(await told.promise).toBe(true);
});

/** Time of the processor so far, which a busy machine does not lengthen as it does the clock's. */
const cpuMs = () => process.cpuUsage().user / 1000;

test("one megabyte does not hold the event loop", async () => {
  const prose =
    "Dear Priya, please call 020 7946 0958 about the pump. It was 4 May, and nobody came to the north hall.\n".repeat(
      9_700,
    );
  let [last, longest, turns] = [cpuMs(), 0, 0];
  const timer = setInterval(() => {
    longest = Math.max(longest, cpuMs() - last);
    last = cpuMs();
    turns += 1;
  }, 1);
  await createMasker({ ...noPolicy, known }).mask([prose]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(3);
  // Well above the 100 ms aimed at: the collector's threads count as well.
  expect(longest).toBeLessThan(600);
});

test("as many values and look-alikes as fit into a text", async () => {
  const text = "IP_1 a@b.co ".repeat(80_000);
  const masked = await createMasker(noPolicy).mask([text]);
  expect(masked.texts[0]).toBe("TEXT_1 EMAIL_1 ".repeat(80_000));
  expect(restoreText(masked.texts[0] ?? "", masked.originals)).toBe(text);
});

test.for(["a", "A", "7", " ", "@", "-", ".", "\\", "é", "0 ", "a@", "1."])(
  "a megabyte of %j takes no more than linear time",
  async (sign) => {
    const began = cpuMs();
    await createMasker({ ...noPolicy, known }).mask([sign.repeat(1_000_000 / sign.length)]);
    expect(cpuMs() - began).toBeLessThan(3000);
  },
);
