import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { loadPeer } from "./providers.ts";

const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /app/x.js`), { code: "ERR_MODULE_NOT_FOUND" });

test("a missing provider package says how to install it", async () => {
  const loading = loadPeer("@ai-sdk/openai", "4", () => Promise.reject(notFound("@ai-sdk/openai")));
  await expect(loading).rejects.toMatchObject({ code: "PEER_MISSING", hint: "npm install @ai-sdk/openai@4" });
});

test("a package that is there but broken is not called missing", async () => {
  const error = notFound("some-dependency");
  await expect(loadPeer("@ai-sdk/openai", "4", () => Promise.reject(error))).rejects.toBe(error);
});

test("the room loads no AI library until a model is called", async () => {
  const script = `
    const { registerHooks } = await import("node:module");
    const heavy = [];
    registerHooks({ resolve(name, context, next) { if (/^(ai|@ai-sdk|@pydantic|jsonrepair|pg)(\\/|$)/.test(name)) heavy.push(name); return next(name, context); } });
    const { createGateway, resolveModels } = await import(${JSON.stringify(new URL("index.ts", import.meta.url).href)});
    const models = await resolveModels({ config: {}, environment: {}, fetch });
    createGateway({ models, journalFor: () => ({}), fetch, resolveSecret: () => "" }).describe();
    console.log(JSON.stringify(heavy));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  expect(JSON.parse(stdout)).toEqual([]);
});
