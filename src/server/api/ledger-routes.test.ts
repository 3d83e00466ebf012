import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/support/test-server.ts";
import { SluiceError } from "../../core/index.ts";
import type { LedgerPort } from "../ports.ts";
import { ErasureView, LedgerPage, LedgerVerdictView, Problem } from "./schemas.ts";

const entry = (seq: number) => ({
  seq,
  at: new Date("2026-03-09T10:00:00Z"),
  kind: "model.intended",
  runId: "run_1",
  ref: "call_1",
  digest: "sha256:1",
  data: { provider: "openai" },
  previous: "0".repeat(64),
  hash: "1".repeat(64),
});
const head = { workspace: "default", seq: 2, hash: "1".repeat(64), at: "2026-03-09T10:00:00.000Z" };

const asked: unknown[] = [];
const ledger: LedgerPort = {
  async page(filter) {
    asked.push(filter);
    return { items: [entry(2)], next: "2" };
  },
  verify: async () => ({
    ok: false,
    entries: 2,
    from: 1,
    to: 2,
    problems: [{ seq: 2, what: "its hash does not fit what it holds" }],
    problemsFound: 1,
    head,
    content: { checked: 4, gone: 0 },
  }),
  async *exportEntries() {
    yield entry(1);
    yield entry(2);
    yield { head };
  },
  async erase(subject, by) {
    asked.push([subject, by]);
    if (subject === "busy@example.com") throw new SluiceError("SUBJECT_BUSY", { message: "1 run has not ended" });
    return { runs: 1, calls: 2, entry: 3 };
  },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, () => ({ ledger }));
});
afterAll(() => server.close());

const codeOf = async (response: Response) => Problem.parse(await response.json()).code;

describe("the ledger", () => {
  it("is searched by subject, run and kind, and gives no hash but the entry's own", async () => {
    const path = "/ledger?subject=jane%40example.com&run=run_1&kind=model.intended&before=9&limit=1";
    const response = await server.api("GET", path, { as: "auditor" });
    const page = LedgerPage.parse(await response.json());
    const { previous: _, at, ...shown } = entry(2);
    expect(page).toEqual({ items: [{ ...shown, at: at.toISOString() }], next: "2" });
    const filter = { subject: "jane@example.com", runId: "run_1", kind: "model.intended", before: "9", limit: 1 };
    expect(asked.at(-1)).toEqual(filter);
  });

  it.each(["limit=0", "before=x", "run=%00", "kind='", "subject="])("refuses %s", async (query) => {
    expect(await codeOf(await server.api("GET", `/ledger?${query}`, { as: "auditor" }))).toBe("REQUEST_INVALID");
  });

  it("is verified, with every problem and where it ends", async () => {
    const response = await server.api("POST", "/ledger/verify", { as: "auditor" });
    const { workspace: _, ...shown } = head;
    expect(LedgerVerdictView.parse(await response.json())).toMatchObject({
      ok: false,
      problems: [{ seq: 2 }],
      heads: [shown],
    });
  });

  it("is exported as lines, with the head at the end", async () => {
    const response = await server.api("GET", "/ledger/export", { as: "auditor" });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual(["seq", "seq", "head"]);
  });

  it("erases a person for an admin only, and logs who did and not whom", async () => {
    const erase = (as: "admin" | "auditor", subject: string) =>
      server.api("POST", "/ledger/erase", { as, body: { subject } });
    expect(await codeOf(await erase("auditor", "jane@example.com"))).toBe("FORBIDDEN");
    const erased = await erase("admin", " jane@example.com ");
    expect(ErasureView.parse(await erased.json())).toEqual({ runs: 1, calls: 2, entry: 3 });
    expect(asked.at(-1)).toEqual(["jane@example.com", "key_admin"]);
    expect(server.log.at(-1)).toEqual({
      level: "info",
      event: "subject.erased",
      fields: { count: 1, by: "key_admin" },
    });
    expect(await codeOf(await erase("admin", "busy@example.com"))).toBe("SUBJECT_BUSY");
    expect(JSON.stringify(server.log)).not.toContain("example.com");
  });
});
