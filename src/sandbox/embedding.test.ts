import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosine, embedText, toBase64 } from "./embedding.ts";

const similarity = (one: string, other: string) => cosine(embedText(one, 1024), embedText(other, 1024));

describe("embedText", () => {
  it("gives a vector of length 1 for any text, and the same one each time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 512 }), (text, dimensions) => {
        const vector = embedText(text, dimensions);
        expect(vector).toHaveLength(dimensions);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
        expect(embedText(text, dimensions)).toEqual(vector);
      }),
    );
  });

  it("puts texts that share words or stems near each other, whatever else they say", () => {
    const invoice = "The invoice of March is late.";
    expect(similarity(invoice, "Late invoices in March")).toBeGreaterThan(0.6);
    expect(similarity(invoice, "How many days of holiday do I have?")).toBeLessThan(0.2);
    expect(similarity(invoice, invoice.toUpperCase())).toBeCloseTo(1, 4);
  });
});

describe("toBase64", () => {
  it("writes little-endian 32-bit floats", () => {
    const bytes = Buffer.from(toBase64([1, -0.5]), "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([1, -0.5]);
  });
});
