import { expect, test } from "vitest";
import type { Json } from "../../core/index.ts";
import { knownValuesOf } from "./index.ts";

const valuesOf = (payload: Json) =>
  knownValuesOf(payload)
    .map(({ kind, value }) => `${kind} ${value}`)
    .toSorted();

test("fields are known by their names, however they are written", () => {
  expect(
    valuesOf({
      name: "Jane Smith",
      "E-Mail": "jane@company.com",
      mobilePhone: "+44 7700 900123",
      company_name: "Acme Widgets Ltd",
      billing: { street: "12 High St", postCode: "LS1 5PL" },
      "Date of birth": "1980-03-12",
      iban: "GB82WEST12345698765432",
      remote_addr: "203.0.113.7",
      password: "hunter2!",
    }),
  ).toEqual([
    "ADDRESS 12 High St",
    "COMPANY Acme Widgets",
    "COMPANY Acme Widgets Ltd",
    "DATE_OF_BIRTH 1980-03-12",
    "EMAIL jane@company.com",
    "IBAN GB82WEST12345698765432",
    "IP 203.0.113.7",
    "KEY hunter2!",
    "PERSON Jane",
    "PERSON Jane Smith",
    "PERSON Smith",
    "PHONE +44 7700 900123",
    "POSTCODE LS1 5PL",
  ]);
});

test("a first and a last name side by side give the whole name", () => {
  expect(valuesOf({ lead: { first_name: "Oluwaseun", lastName: "Okafor" } })).toEqual([
    "PERSON Okafor",
    "PERSON Oluwaseun",
    "PERSON Oluwaseun Okafor",
  ]);
});

test("answers of a form go by their labels, list items by the name of the list", () => {
  const form: Json = {
    fields: [
      { label: "Full name", value: "Jane Doyle" },
      { name: "email", value: "j@b.co" },
      { title: "Plan", answer: "Gold" },
    ],
  };
  expect(valuesOf(form)).toEqual(["EMAIL j@b.co", "PERSON Doyle", "PERSON Jane", "PERSON Jane Doyle"]);
  expect(valuesOf({ attendees: ["Kofi Mensah"] })).toContain("PERSON Kofi Mensah");
});

test("a mailbox gives the name and the address", () => {
  expect(valuesOf({ from: '"Jane Doyle" <jane@company.com>' })).toEqual([
    "EMAIL jane@company.com",
    "PERSON Doyle",
    "PERSON Jane",
    "PERSON Jane Doyle",
  ]);
});

test("names of things, empty words and what does not look like its name are left out", () => {
  expect(
    valuesOf({
      product: { name: "Blue Widget" },
      company: { name: "Acme" },
      file_name: "report.pdf",
      event_name: "signup",
      username: "jsmith",
      email: "not given",
      email_verified: "true",
      phone: "n/a",
      name: "customer",
      message: "Jane",
      count: 3,
    }),
  ).toEqual(["COMPANY Acme"]);
});

test("parts of a name that are ordinary words or titles are no names by themselves", () => {
  expect(valuesOf({ name: "Dr Will Li Story" })).toEqual(["PERSON Dr Will Li Story"]);
});

test("a number is known as well", () => {
  expect(valuesOf({ phone: 442079460958, card_number: 4111111111111111, age: 41 })).toEqual([
    "CARD 4111111111111111",
    "PHONE 442079460958",
  ]);
});

test("a payload of any depth is read", () => {
  let payload: Json = { name: "Jane Doyle" };
  for (let depth = 0; depth < 20_000; depth += 1) payload = [payload];
  expect(valuesOf({ people: payload })).toContain("PERSON Jane Doyle");
});
