import * as fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ModelAnswer } from "./call.ts";
import { validateObject, validateText } from "./validate.ts";

const Lead = z.object({ score: z.int(), note: z.string().optional() });
const answer = (text: string, finish: ModelAnswer["finish"] = "complete"): ModelAnswer => ({
  text,
  finish,
  usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, reasoningTokens: 0, estimated: false },
  headers: {},
});
const plain = { schema: Lead, checks: [], restore: <T>(value: T): T => value };

test.each([
  ["plain JSON", '{"score":1}', "as_is"],
  ["JSON with white space around it", '\n {"score":1}\n', "as_is"],
  ["a code fence", '```json\n{"score":1}\n```', "repaired"],
  ["an explanation around it", 'Sure! {"score":1} Anything else?', "repaired"],
  ["a trailing comma and a comment", '{"score":1, /* why */}', "repaired"],
  ["single quotes", "{'score':1}", "repaired"],
])("takes %s", async (_, text, rung) => {
  expect(await validateObject(answer(text), plain)).toMatchObject({ ok: true, value: { score: 1 }, rung });
});

test("an answer that is no JSON or of another shape is to be corrected, without any value in the complaint", async () => {
  const prose = await validateObject(answer("I would say that it scores high."), plain);
  expect(prose).toMatchObject({ ok: false, refusal: { askAgain: "corrected", error: { code: "OUTPUT_INVALID" } } });
  const wrong = await validateObject(answer('{"score":"PLANTED"}'), plain);
  expect(wrong).toMatchObject({ ok: false, refusal: { complaint: expect.stringContaining("/score") as string } });
  expect(JSON.stringify(wrong)).not.toContain("PLANTED");
});

test("an answer that was cut off is not repaired, even when it could be", async () => {
  const cut = await validateObject(answer('{"score":1,"note":"half a sen', "length"), plain);
  expect(cut).toMatchObject({ ok: false, refusal: { askAgain: "longer", error: { code: "OUTPUT_TRUNCATED" } } });
  expect(validateText(answer("half a sen", "length"), String)).toMatchObject({ ok: false });
});

test("an empty text is a failure of the provider", () => {
  expect(validateText(answer(" \n"), String)).toMatchObject({
    ok: false,
    refusal: { error: { code: "MODEL_UNAVAILABLE" } },
  });
});

test("no text makes it throw, and what it takes fits the schema", async () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `x ${json.slice(0, -1)}`),
  );
  await fc.assert(
    fc.asyncProperty(text, async (words) => {
      const verdict = await validateObject(answer(words), plain);
      expect(verdict.ok ? Lead.safeParse(verdict.value).success : verdict.refusal.error.code).toBeTruthy();
    }),
  );
});
