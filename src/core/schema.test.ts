import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkSchema, parseSchema, type Schema, toJsonSchema } from "./schema.ts";

const lead = z.strictObject({ email: z.email(), tags: z.array(z.string()) });
const failure = { code: "PAYLOAD_INVALID", what: "the payload" } as const;

/** A schema of a library that quotes the value in its messages, and names places by segments. */
const quoting = (message: string, path?: readonly (PropertyKey | { readonly key: PropertyKey })[]): Schema => ({
  "~standard": {
    version: 1,
    vendor: "other",
    validate: async () => ({ issues: [{ message, ...(path && { path }) }] }),
  },
});

describe("checking a value", () => {
  it("gives what the schema makes of it", async () => {
    expect(await checkSchema(z.object({ at: z.coerce.date() }), { at: "2026-01-01" })).toEqual({
      ok: true,
      value: { at: new Date("2026-01-01") },
    });
  });

  it("tells each place as a JSON pointer", async () => {
    const result = await checkSchema(z.object({ "a/b": z.object({ "c~d": z.array(z.number()) }) }), {
      "a/b": { "c~d": [1, "x"] },
    });
    expect(result).toMatchObject({ ok: false, issues: [{ path: "/a~1b/c~0d/1" }] });
    expect(await checkSchema(quoting("bad", [{ key: "lead" }, 0]), {})).toMatchObject({
      issues: [{ path: "/lead/0" }],
    });
  });

  it("does not tell a key that is somebody's data", async () => {
    const result = await checkSchema(z.record(z.string(), z.number()), { "ada@example.com": "x", plain: "x" });
    expect(result).toMatchObject({ issues: [{ path: "/*" }, { path: "/plain" }] });
  });

  it("never tells the value, nor the name of an unknown key", async () => {
    const value = { email: "ada at example", tags: [], "ada@example.com": 1 };
    const told = JSON.stringify(await checkSchema(lead, value));
    expect(told).toContain("/email");
    expect(told).not.toContain("ada");
  });

  it("leaves out what another library puts in quotation marks", async () => {
    const message = "expected \"a\" or 'b' but got `ada@example.com`";
    expect(await checkSchema(quoting(message), {})).toEqual({
      ok: false,
      issues: [{ path: "", message: "expected … or … but got …" }],
    });
  });
});

describe("parsing a value", () => {
  it("gives a value that fits", async () => {
    const value = { email: "ada@example.com", tags: ["a"] };
    expect(await parseSchema(lead, value, failure)).toEqual(value);
  });

  it("throws the caller's code, with the places and what to do", async () => {
    await expect(parseSchema(lead, { email: "x", tags: [1] }, failure)).rejects.toMatchObject({
      code: "PAYLOAD_INVALID",
      message: "the payload does not fit its schema at /email, /tags/0",
      hint: "Compare the fields named in details with the schema.",
      details: { issues: [{ path: "/email" }, { path: "/tags/0" }] },
    });
    await expect(parseSchema(lead, null, { ...failure, hint: "Send JSON." })).rejects.toMatchObject({
      message: "the payload does not fit its schema at (the whole value)",
      hint: "Send JSON.",
    });
  });

  it("names ten places and details fifty, however many there are", async () => {
    const error = await parseSchema(z.array(z.string()), Array(200).fill(1), failure).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ message: expect.stringMatching(/at (\/\d+, ){9}\/9$/) });
    expect((error as { details: { issues: unknown[] } }).details.issues).toHaveLength(50);
  });
});

describe("writing a schema as JSON Schema", () => {
  it("gives the form of the input", () => {
    expect(toJsonSchema(z.object({ at: z.string().transform((text) => text.length) }))).toMatchObject({
      type: "object",
      properties: { at: { type: "string" } },
    });
  });

  it("refuses a library that cannot", () => {
    expect(() => toJsonSchema(quoting("bad"))).toThrow(
      expect.objectContaining({ code: "FLOW_INVALID", message: "a schema of other cannot be written as JSON Schema" }),
    );
  });
});
