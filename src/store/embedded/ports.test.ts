import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { choosePort, forgetPort } from "./ports.ts";

test("remembers the port", async () => {
  const stateFile = join(await temporaryFolder(), "state.json");
  const port = await choosePort(stateFile);
  expect(await choosePort(stateFile)).toBe(port);
  await forgetPort(stateFile);
  expect(await choosePort(stateFile)).toBeGreaterThan(0);
});

test("takes another one, and remembers that, when somebody listens on the remembered one", async () => {
  const stateFile = join(await temporaryFolder(), "state.json");
  const other = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void other.close());
  await once(other, "listening");
  const taken = (other.address() as AddressInfo).port;
  await writeFile(stateFile, JSON.stringify({ port: taken }));
  const port = await choosePort(stateFile);
  expect(port).not.toBe(taken);
  expect(JSON.parse(await readFile(stateFile, "utf8"))).toEqual({ port });
});

test("a damaged state file is as good as none", async () => {
  const stateFile = join(await temporaryFolder(), "state.json");
  for (const text of ["", "{", '{"port":"x"}', '{"port":70000}', "[]"]) {
    await writeFile(stateFile, text);
    expect(await choosePort(stateFile)).toBeGreaterThan(0);
  }
});
