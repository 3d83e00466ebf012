import { expect, test } from "vitest";
import { builtInDetectors } from "./index.ts";

const [, names] = builtInDetectors();

async function found(text: string): Promise<string[]> {
  const [findings = []] = (await names?.find([text])) ?? [];
  return findings.map(({ start, end, kind }) => `${kind} ${text.slice(start, end)}`).toSorted();
}

test.for([
  ["Yesterday Priya Raghunathan and Kwame Boateng called.", "Kwame Boateng", "Priya Raghunathan"],
  ["Dear Wolkenstein,\nthank you", "Wolkenstein"],
  ["Kind regards,\nBeyza\nHead of Sales", "Beyza"],
  ["Ask Mr Ngata or Dr. Etxeberria about it", "Etxeberria", "Ngata"],
  ["My name is JANE BOATENG", "JANE BOATENG"],
  [
    "We met Siobhan O'Reilly, Ana de la Cruz and John F. Kennedy",
    "Ana de la Cruz",
    "John F. Kennedy",
    "Siobhan O'Reilly",
  ],
  ["Jane Doyle said no. Later Doyle agreed.", "Doyle", "Jane Doyle"],
  ["Fenna Hoekstra <f@b.co> wrote", "Fenna Hoekstra"],
  ["[10:22] Aung: on it", "Aung"],
  ["Ask Mark Brown, Grace Young or Will Smith", "Grace Young", "Mark Brown", "Will Smith"],
  ["I asked Mark about Jane's car", "Jane", "Mark"],
])("people in %j", async ([text = "", ...people]) => {
  expect(await found(text)).toEqual(people.map((name) => `PERSON ${name}`));
});

test("companies with their legal form", async () => {
  expect(await found("From Acme Widgets Ltd to Müller & Söhne GmbH, via GitHub, Inc. today")).toEqual(
    expect.arrayContaining(["COMPANY Acme Widgets Ltd", "COMPANY GitHub, Inc.", "COMPANY Müller & Söhne GmbH"]),
  );
});

test.for([
  "Dear Sir or Madam, Thank you for your Order. Kind Regards, Support Team",
  "The New York office is closed on Monday. Product Launch in San Francisco, Terms and Conditions apply.",
  "Mark the invoice as paid. Will you come? May I ask? Rose prices fell.",
  "The DBOS SDK, a CLI, TypeScript and OpenAI; 2.5 ms CPU",
  "Data Protection Impact Assessment, Purchase Order, Q3 Review, Customer Portal Upgrade",
])("nobody in %j", async (text) => {
  expect(await found(text)).toEqual([]);
});
