import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./fixtures/temporary-folder.ts";
import { isRoot } from "./owned-files.ts";
import { canEnter, chooseSystemUser, findUser } from "./system-user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\nbroken:x:::\npostgresql:x:7:7::/:\n";

test("finds a user by the whole name, never root", () => {
  expect(findUser(passwd, "nobody")).toEqual({ uid: 65_534, gid: 65_533 });
  expect(findUser(passwd, "postgres")).toBeUndefined();
  expect(findUser(passwd, "broken")).toBeUndefined();
  expect(findUser(passwd, "root")).toBeUndefined();
});

test.skipIf(isRoot())("an ordinary user runs Postgres as itself", async () => {
  expect(await chooseSystemUser([{ uid: 1234, gid: 5678 }])).toBeUndefined();
});

test.runIf(isRoot())("root runs it as the owner of the data or folder, else as a user without rights", async () => {
  const owner = { uid: 1234, gid: 5678 };
  const root = { uid: 0, gid: 0 };
  expect(await chooseSystemUser([root, owner])).toEqual(owner);
  expect((await chooseSystemUser([root, root]))?.uid).toBeGreaterThan(0);
});

test("a folder is closed when any folder above it is", async () => {
  const outer = await temporaryFolder();
  const inner = join(outer, "inner");
  await mkdir(inner);
  await chmod(inner, 0o755);
  const { uid } = await stat(outer);
  const stranger = { uid: uid + 1, gid: 4_000_000 };
  expect(await canEnter(inner, stranger)).toBe(true);
  await chmod(outer, 0o700);
  expect(await canEnter(inner, stranger)).toBe(false);
  expect(await canEnter(inner, { uid, gid: 4_000_000 })).toBe(true);
  await chmod(outer, 0o755);
});
