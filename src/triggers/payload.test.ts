import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow } from "../core/index.ts";
import { createHookRoutes } from "./hook-routes.ts";
import { parseForm, parseJson } from "./payload.ts";
import { webhook } from "./webhook.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const refused = expect.objectContaining({ code: "BODY_NOT_JSON" }) as Error;
/** The code of the error that a function throws; null when it does not. */
function codeOf(act: () => unknown): unknown {
  try {
    act();
    return null;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}
const suite = JSON.parse(readFileSync(new URL("../../test/data/jsontestsuite.json", import.meta.url), "utf8")) as {
  cases: { name: string; base64: string }[];
};

describe("a JSON body", () => {
  it("gives what JSON.stringify wrote, up to keys named __proto__", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        expect(JSON.stringify(parseJson(bytes(text)))).toBe(text);
      }),
    );
  });

  it("never fails otherwise than with BODY_NOT_JSON, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string().map(bytes)), (body) => {
        expect([null, "BODY_NOT_JSON"]).toContain(codeOf(() => parseJson(Buffer.from(body))));
      }),
    );
  });

  it("may begin with a byte order mark", () => {
    expect(parseJson(bytes('\uFEFF{"a":1}'))).toEqual({ a: 1 });
  });

  it("is refused below 100 levels, and brackets in texts are no levels", () => {
    const nested = (depth: number) => bytes("[".repeat(depth) + "]".repeat(depth));
    expect(parseJson(nested(100))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(101))).toThrow(refused);
    expect(() => parseJson(nested(100_000))).toThrow(refused);
    expect(() => parseJson(bytes('{"a":'.repeat(100_000)))).toThrow(refused);
    const text = `\\"${"[{".repeat(500)}`;
    expect(parseJson(bytes(`["${text}"]`))).toEqual([text.replace("\\", "")]);
  });

  it.each(['{"__proto__":{"admin":true}}', '{"a":[{"\\u005f_proto__":1}]}', '[{"__proto__":null}]'])(
    "is refused for a prototype key: %s",
    (text) => {
      expect(() => parseJson(bytes(text))).toThrow(refused);
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    },
  );

  it("may have the word __proto__ in a text, and a key named constructor", () => {
    const value = { note: "__proto__ \u0001", constructor: { prototype: { admin: true } } };
    expect(parseJson(bytes(JSON.stringify(value)))).toEqual(value);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each(["1e400", "[-1e400]", "9".repeat(400)])("is refused for a number that would become Infinity: %s", (text) => {
    expect(() => parseJson(bytes(text))).toThrow(refused);
  });

  it("is refused without quoting it", () => {
    expect(() => parseJson(bytes('{"email": ada@example.com}'))).toThrow(/^the body is not valid JSON$/);
  });
});

describe("JSONTestSuite through a hook", () => {
  const trigger = webhook({ path: "any", payload: z.unknown(), verify: { allowUnsigned: true } });
  const routes = createHookRoutes([{ flow: flow({ name: "any", trigger, run: () => Promise.resolve() }), trigger }], {
    resolveSecret: () => "",
    accept: () => Promise.resolve({ runId: "run_1", duplicate: false }),
    waitForRun: () => Promise.resolve(null),
    countRefusal: () => undefined,
    now: () => new Date(0),
    publicUrl: null,
  });
  const post = async (base64: string) => {
    const headers = { "content-type": "application/json" };
    return (await routes.request("/hooks/any", { method: "POST", headers, body: Buffer.from(base64, "base64") }))
      .status;
  };

  it("has its 318 cases", () => {
    expect(suite.cases.length).toBe(318);
  });

  it.each([
    ["y_", [202]],
    ["n_", [400]],
    ["i_", [202, 400]],
  ])("answers the %s cases with one of %j", async (prefix, allowed) => {
    for (const { name, base64 } of suite.cases.filter((testCase) => testCase.name.startsWith(prefix))) {
      const status = await post(base64);
      expect(allowed, `${name} was answered with ${status}`).toContain(status);
    }
  });
});

describe("a form body", () => {
  it("gives texts, and lists for repeated fields", () => {
    expect(parseForm(bytes("a=1&b=x+y%26&a=2&c=&a=3"))).toEqual({ a: ["1", "2", "3"], b: "x y&", c: "" });
  });

  it("gives what URLSearchParams wrote", () => {
    const pairs = fc.dictionary(fc.string(), fc.string(), { maxKeys: 20 });
    fc.assert(
      fc.property(pairs, (fields) => {
        fc.pre(!Object.hasOwn(fields, "__proto__"));
        const wellFormed = Object.entries(fields).map(([name, value]): [string, string] => [
          name.toWellFormed(),
          value.toWellFormed(),
        ]);
        const text = new URLSearchParams(wellFormed).toString();
        expect(parseForm(bytes(text))).toEqual(Object.fromEntries(wellFormed));
      }),
    );
  });

  it("is refused for a prototype field, too many fields, or bytes that are no UTF-8", () => {
    expect(() => parseForm(bytes("__proto__=1"))).toThrow(refused);
    expect(() => parseForm(bytes("a=1&".repeat(1000)))).toThrow(refused);
    expect(() => parseForm(Buffer.from([0x61, 0x3d, 0xff]))).toThrow(refused);
  });
});
