import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScrubber } from "./scrubber.ts";
import { Secret } from "./secret.ts";

const value = 'k3y/with+"odd" \\ chars & é';
const scrubber = createScrubber([new Secret("API_KEY", value)]);

describe("a scrubber", () => {
  it.each([
    ["plain", `key=${value}.`],
    ["JSON", JSON.stringify({ key: value })],
    ["a URL", `https://host/?key=${encodeURIComponent(value)}&x=1`],
    ["a URL in lower case", `?key=${encodeURIComponent(value).replace(/%../g, (byte) => byte.toLowerCase())}`],
    ["a form", new URLSearchParams({ key: value }).toString()],
    ["base64", Buffer.from(value).toString("base64")],
    ["base64url", Buffer.from(value).toString("base64url")],
    ["Basic credentials", `Basic ${Buffer.from(`u:${value}`).toString("base64")}`],
    ["Basic credentials of a longer name", `Basic ${Buffer.from(`user:${value}:x`).toString("base64")}`],
  ])("finds the secret in %s", (_form, text) => {
    const scrubbed = scrubber.scrub(text);
    expect(scrubbed).toContain("[secret:API_KEY]");
    expect(scrubbed.length).toBeLessThan(text.length);
  });

  it("leaves other text and short values alone", () => {
    expect(createScrubber([new Secret("PIN", "1234567")]).scrub("1234567 apples")).toBe("1234567 apples");
    expect(createScrubber().scrub("text")).toBe("text");
  });

  it("learns secrets later, and does not leave the rest of a longer one behind", () => {
    const later = createScrubber([new Secret("SHORT", "abcdefgh")]);
    later.add(new Secret("LONG", "abcdefgh12345678"));
    expect(later.scrub("abcdefgh12345678 abcdefgh")).toBe("[secret:LONG] [secret:SHORT]");
  });

  it("never lets any secret through, wherever it stands in plain or base64", () => {
    const secrets = fc.string({ minLength: 8, maxLength: 40, unit: "grapheme-ascii" });
    fc.assert(
      fc.property(secrets, fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (text, before, after) => {
        const secretScrubber = createScrubber([new Secret("S", text)]);
        fc.pre(!"[secret:S]".includes(text) && !before.includes(text) && !after.includes(text));
        expect(secretScrubber.scrub(before + text + after)).not.toContain(text);
        const encoded = Buffer.from(before + text + after).toString("base64");
        const scrubbed = secretScrubber.scrub(encoded);
        expect(scrubbed).toContain("[secret:S]");
        expect(Buffer.from(scrubbed.replaceAll("[secret:S]", "!"), "base64").toString()).not.toContain(text);
      }),
    );
  });
});
