import { spawn } from "node:child_process";
import { once } from "node:events";
import { assert, nat, property, string } from "fast-check";
import { expect, test } from "vitest";
import { commandLineOf, identify, isAlive, parseIdentity, parseProcessStat } from "./process-identity.ts";

test("a process is alive until it has ended, also while nobody has collected its exit code", async () => {
  // The shell becomes `sleep`, which never collects the child that the shell has left behind.
  const parent = spawn("/bin/sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [text] = (await once(parent.stdout, "data")) as [Buffer];
    const zombie = { pid: Number(text.toString()), startedAt: null };
    await expect.poll(() => isAlive(zombie)).toBe(false);
    expect(isAlive(identify(parent.pid!))).toBe(true);
    expect(commandLineOf(parent.pid!)?.join(" ")).toContain("sleep 60");
  } finally {
    parent.kill("SIGKILL");
  }
});

test("a process that began at another time is another process", () => {
  const self = identify(process.pid);
  expect(isAlive(self)).toBe(true);
  expect(self.startedAt).not.toBeNull();
  expect(isAlive({ ...self, startedAt: "earlier" })).toBe(false);
});

test("reads state and start time whatever the program is called", () => {
  assert(
    property(string(), nat(), (name, startTicks) => {
      const text = `42 (${name}) S 1 ${"0 ".repeat(17)}${startTicks} 0 0\n`;
      expect(parseProcessStat(text)).toEqual({ state: "S", startTicks: String(startTicks) });
    }),
  );
});

test("a stored identity is read back; anything else is none", () => {
  const self = identify(process.pid);
  expect(parseIdentity(JSON.stringify(self))).toEqual(self);
  expect(parseIdentity(undefined)).toBeUndefined();
  assert(property(string(), (text) => parseIdentity(`${text}{`) === undefined));
});
