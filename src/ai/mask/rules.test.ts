import { expect, test } from "vitest";
import type { EntityKind } from "../../core/index.ts";
import { builtInDetectors } from "./index.ts";

const [rules] = builtInDetectors();

async function found(text: string): Promise<string[]> {
  const [findings = []] = (await rules?.find([text])) ?? [];
  return [...new Set(findings.map(({ start, end, kind }) => `${kind} ${text.slice(start, end)}`))];
}

const values: readonly (readonly [EntityKind, string, string])[] = [
  ["EMAIL", "Write to o'brien+x@mail.example.co.uk.", "o'brien+x@mail.example.co.uk"],
  ["EMAIL", "'jürgen@müller.de'", "jürgen@müller.de"],
  ["EMAIL", "?to=jane%40company.com&x", "jane%40company.com"],
  ["PHONE", "ring +44 (0)20 7946 0958 today", "+44 (0)20 7946 0958"],
  ["PHONE", "or (212) 555-0142 ext 12", "(212) 555-0142 ext 12"],
  ["PHONE", "212.555.0142", "212.555.0142"],
  ["PHONE", "07700 900123", "07700 900123"],
  ["PHONE", "0044 7700 900123", "0044 7700 900123"],
  ["PHONE", "01 42 68 53 00", "01 42 68 53 00"],
  ["PHONE", "Tel: 0171/2345678", "0171/2345678"],
  ["PHONE", "call me on 600 123 456", "600 123 456"],
  ["IBAN", "to gb82 west 1234 5698 7654 32 please", "gb82 west 1234 5698 7654 32"],
  ["IBAN", "DE89370400440532013000", "DE89370400440532013000"],
  ["IBAN", "IBAN: DE00370400440532013000", "DE00370400440532013000"],
  ["CARD", "card 4111 1111 1111 1111 12/27", "4111 1111 1111 1111"],
  ["CARD", "3782-822463-10005", "3782-822463-10005"],
  ["CARD", "5555555555554444", "5555555555554444"],
  ["NI_NUMBER", "NI ab 12 34 56 c.", "ab 12 34 56 c"],
  ["NHS_NUMBER", "943 476 5919", "943 476 5919"],
  ["NHS_NUMBER", "NHS number: 943-476-5918", "943-476-5918"],
  ["SSN", "123-45-6789", "123-45-6789"],
  ["SSN", "social security number 123456789", "123456789"],
  ["POSTCODE", "London sw1a 1aa", "sw1a 1aa"],
  ["POSTCODE", "EC2V7HN", "EC2V7HN"],
  ["POSTCODE", "Springfield, IL 62704-1234", "62704-1234"],
  ["POSTCODE", "PLZ 10115", "10115"],
  ["DATE_OF_BIRTH", '"dateOfBirth":"1980-03-12"', "1980-03-12"],
  ["DATE_OF_BIRTH", "born on 4th of May 1979 in Leeds", "4th of May 1979"],
  ["DATE_OF_BIRTH", "geb. 12. März 1980", "12. März 1980"],
  ["DATE_OF_BIRTH", "12/03/1980 is my birthday", "12/03/1980"],
  ["IP", "from 203.0.113.7:8080", "203.0.113.7"],
  ["IP", "[2001:db8::8a2e:370:7334]", "2001:db8::8a2e:370:7334"],
  ["KEY", "sk-proj-abcdefgh12345678ABCDEFGH", "sk-proj-abcdefgh12345678ABCDEFGH"],
  ["KEY", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
  ["KEY", "Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"],
  ["KEY", '"password":"hunter2!"', "hunter2!"],
  ["KEY", "api_key=0123456789abcdef0123", "0123456789abcdef0123"],
  ["KEY", "postgres://app:s3cret@db.internal/x", "app:s3cret"],
  ["ADDRESS", "at Flat 2, 221B Baker Street, London", "Flat 2, 221B Baker Street"],
  ["ADDRESS", "350 W 42nd St, Apt 4B", "350 W 42nd St, Apt 4B"],
  ["ADDRESS", "in der Berliner Straße 12b.", "Berliner Straße 12b"],
  ["ADDRESS", "Keizersgracht 123, Amsterdam", "Keizersgracht 123"],
  ["ADDRESS", "12 bis, rue de la Paix", "12 bis, rue de la Paix"],
  ["ADDRESS", "Calle Mayor 12", "Calle Mayor 12"],
  ["ADDRESS", "P.O. Box 1658", "P.O. Box 1658"],
];

test.for(values)("%s in %j", async ([kind, text, value]) => {
  expect(await found(text)).toContain(`${kind} ${value}`);
});

test.for([
  "Order 10234567, ORD-4512345, 416-7146001-4707000, invoice INV-2024-00123, ticket #48213",
  "version 10.2.3.4, v1.2.3.4, release 2.14.0-rc.1, Chrome/124.0.6367.118",
  "id 550e8400-e29b-41d4-a716-446655440000, commit 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
  "£1,234.56, $12.50, 10,245,300 units, 12.5 %, EUR 45,300, 1.234,00 €",
  "2024-01-15 10:30, 15/01/2024, 15 January 2024, 2024-01-15T10:30:00Z, 1700000000000, week 12",
  "std::move, 12:30:45, a::b, ::1, 00:1A:2B:3C:4D:5E",
  "0.4.2 / 30.03.2017, ISBN 978-3-16-148410-0, 1Z999AA10123456784, B0C1D2E3F4",
  "Order ID 12345, PR 26546, 4111 1111 1111 1112, DE00370400440532013000, the company was born in 2010",
  "password: required, the token is missing, key: value, reset your password: https",
  "5 people on the street, 2 way communication, see @channel and user@localhost",
])("nothing in %j", async (text) => {
  expect(await found(text)).toEqual([]);
});
