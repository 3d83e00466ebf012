import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maxBodyBytes } from "../../src/triggers/index.ts";
import { hotLead, post, startApplication, type Delivery, type TestApplication } from "./application.ts";

let test: TestApplication;

beforeAll(async () => {
  test = await startApplication();
});

afterAll(() => test.close());

interface Answer {
  readonly runId: string;
  readonly duplicate: boolean;
  readonly code: string;
  readonly hint: string;
  readonly status: string;
  readonly output: { readonly score: number };
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}

async function deliver(delivery: Delivery, url = test.hookUrl) {
  const response = await post(url, delivery);
  const type = response.headers.get("content-type");
  const text = await response.text();
  return { status: response.status, type, text, answer: JSON.parse(text) as Answer };
}

/** Every row that the service keeps, but for counters of refusals and the list of its processes. */
async function storedRows(): Promise<number> {
  const tables = await test.query<{ name: string }>(
    `select table_schema || '.' || table_name as name from information_schema.tables
     where table_schema in ('sluice', 'sluice_engine') and table_type = 'BASE TABLE'
       and table_name not in ('refusals', 'processes')`,
  );
  expect(tables.length).toBeGreaterThan(15);
  const counts = tables.map(({ name }) => `select count(*)::integer as rows from ${name}`).join(" union all ");
  const [sum] = await test.query<{ rows: number }>(`select sum(rows)::integer as rows from (${counts}) as counts`);
  return sum!.rows;
}

async function refusals(source: string, code: string): Promise<number> {
  const rows = await test.query<{ count: number }>(
    `select count::integer from sluice.refusals where source = '${source}' and code = '${code}'`,
  );
  return rows[0]?.count ?? 0;
}

/** Stands in every refused body; nothing may answer with it or keep it. */
const planted = "Zebulon-7f3a";
const plantedLead = { ...hotLead, name: planted, message: `${hotLead.message} ${planted}` };

interface BadInput {
  readonly what: string;
  readonly status: number;
  readonly code: string;
  readonly make: () => Delivery & { readonly url?: string; readonly source?: string };
}

const badInputs: readonly BadInput[] = [
  {
    what: "an unknown path",
    status: 404,
    code: "HOOK_UNKNOWN",
    make: () => ({
      ...test.sign(JSON.stringify(plantedLead)),
      url: `${test.publicUrl}/hooks/nobody`,
      source: "webhook:(unknown)",
    }),
  },
  {
    what: "no signature",
    status: 401,
    code: "SIGNATURE_MISSING",
    make: () => ({ body: JSON.stringify(plantedLead), headers: { "content-type": "application/json" } }),
  },
  {
    what: "a body that was changed after it was signed",
    status: 401,
    code: "SIGNATURE_INVALID",
    make: () => ({ ...test.sign(JSON.stringify(hotLead)), body: JSON.stringify(plantedLead) }),
  },
  {
    what: "broken JSON",
    status: 400,
    code: "BODY_NOT_JSON",
    make: () => test.sign(JSON.stringify(plantedLead).slice(0, -5)),
  },
  {
    what: "a payload that does not fit the schema",
    status: 422,
    code: "PAYLOAD_INVALID",
    make: () => test.sign(JSON.stringify({ ...plantedLead, email: planted, company: 7 })),
  },
  {
    what: "a body over 1 MB",
    status: 413,
    code: "BODY_TOO_LARGE",
    make: () => test.sign(JSON.stringify({ ...plantedLead, message: planted.padEnd(maxBodyBytes, "x") })),
  },
];

describe("a refused delivery", () => {
  it.each(badInputs)("with $what is answered $status $code, and leaves nothing but a counter", async (input) => {
    const { url, source = "webhook:leads", ...delivery } = input.make();
    const [rows, counted] = [await storedRows(), await refusals(source, input.code)];
    const { status, type, text, answer } = await deliver(delivery, url);
    expect({ status, type, code: answer.code }).toEqual({
      status: input.status,
      type: "application/problem+json",
      code: input.code,
    });
    expect(answer.hint).toMatch(/\w+ \w+/);
    expect(text).not.toContain(planted);
    await expect.poll(() => refusals(source, input.code), { interval: 10 }).toBe(counted + 1);
    expect(await storedRows()).toBe(rows);
  });

  it("tells all places that do not fit, and no value", async () => {
    const { answer } = await deliver(test.sign(JSON.stringify({ ...plantedLead, email: planted, company: 7 })));
    expect(answer.issues.map((issue) => issue.path)).toEqual(["/email", "/company"]);
  });
});

describe("[R1] an accepted delivery", () => {
  it("starts one run, however many copies of it come at once", async () => {
    const id = `msg_${randomUUID()}`;
    const delivery = test.sign(JSON.stringify({ ...hotLead, company: "Hundredfold", email: "copies@example.com" }), id);
    const answers = await Promise.all(Array.from({ length: 100 }, () => deliver(delivery)));
    const runIds = new Set(answers.map(({ answer }) => answer.runId));
    expect(runIds.size).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    expect(answers.filter(({ answer }) => !answer.duplicate)).toHaveLength(1);

    const [runId = ""] = runIds;
    expect(await test.ended(runId)).toMatchObject({ status: "succeeded" });
    const events = await test.query(
      `select run_id, duplicates::integer from sluice.events where delivery_id = '${id}'`,
    );
    expect(events).toEqual([{ run_id: runId, duplicates: 99 }]);
    const messages = (await test.sandbox.slackMessages()).filter(({ text }) => text.startsWith("Hundredfold:"));
    expect(messages).toHaveLength(1);
  });

  it("is answered with the run's output when the sender waits for it", async () => {
    const lead = { ...hotLead, company: "Waiting Ltd", email: "waiting@example.com" };
    const { status, answer } = await deliver(test.sign(JSON.stringify(lead)), `${test.hookUrl}?wait=10`);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ duplicate: false, status: "succeeded", output: { urgency: "high" } });
    expect(await test.ended(answer.runId)).toMatchObject({ output: answer.output });
  });

  it("is answered 202 when the run does not end while the sender waits", async () => {
    await test.sandbox.setFaults([{ system: "hubspot", kind: "slow", times: 1, params: { delayMs: 1500 } }]);
    const lead = { ...hotLead, company: "Slow Ltd", email: "slow@example.com" };
    const { status, answer } = await deliver(test.sign(JSON.stringify(lead)), `${test.hookUrl}?wait=1`);
    expect({ status, duplicate: answer.duplicate, output: answer.output }).toEqual({ status: 202, duplicate: false });
    expect(await test.ended(answer.runId)).toMatchObject({ status: "succeeded" });
  });
});
