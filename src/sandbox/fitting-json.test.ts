import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { fittingJson } from "./fitting-json.ts";

const text = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })).map(([a, b]) =>
  z
    .string()
    .min(a)
    .max(a + b),
);
const whole = fc.tuple(fc.integer(), fc.nat()).map(([low, span]) =>
  z
    .int()
    .min(low)
    .max(Math.min(low + span, 2 ** 40)),
);
const real = fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 1000 })).map(([low, span]) =>
  z
    .number()
    .gt(low)
    .lt(low + span),
);
const leaf = fc.oneof(
  text,
  whole,
  real,
  fc.constantFrom<z.ZodType>(
    z.boolean(),
    z.null(),
    z.email(),
    z.url(),
    z.uuid(),
    z.iso.datetime(),
    z.iso.date(),
    z.literal(7),
    z.int().positive(),
  ),
  fc.uniqueArray(fc.string(), { minLength: 1 }).map((values) => z.enum(values)),
);
const { schema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc
      .dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== "__proto__"),
        tie("schema"),
        { maxKeys: 4, noNullPrototype: true },
      )
      .map((shape) => z.object(shape)),
    fc.tuple(tie("schema"), fc.nat({ max: 3 })).map(([item, length]) => z.array(item).min(length)),
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((options) => z.union(options)),
    tie("schema").map((inner) => inner.nullable()),
    tie("schema").map((inner) => inner.optional()),
  ),
}));

describe("fittingJson", () => {
  it("gives a value that fits, for schemas of every kind", () => {
    fc.assert(
      fc.property(schema, (wanted) => {
        const value = fittingJson(z.toJSONSchema(wanted));
        expect(wanted.safeParse(value).error?.issues).toBeUndefined();
      }),
    );
  });

  it("marks free text and leaves out what is not required", () => {
    const wanted = z.object({ name: z.string(), note: z.string().optional(), tags: z.array(z.string()).min(2) });
    expect(fittingJson(z.toJSONSchema(wanted))).toEqual({ name: "SIMULATED", tags: ["SIMULATED", "SIMULATED"] });
  });

  it("follows references, joins allOf, and keeps multiples", () => {
    const lead = {
      type: "object",
      properties: { size: { type: "number", minimum: 7, multipleOf: 5 } },
      required: ["size"],
    };
    const owner = { type: "object", properties: { owner: { const: "me" } }, required: ["owner"] };
    const wanted = { $defs: { lead }, allOf: [{ $ref: "#/$defs/lead" }, owner] };
    expect(fittingJson(wanted)).toEqual({ size: 10, owner: "me" });
  });

  it("ends for a schema that must contain itself", () => {
    const wanted = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] };
    expect(JSON.stringify(fittingJson(wanted))).toMatch(/^(\{"next":)+null\}+$/);
  });
});
