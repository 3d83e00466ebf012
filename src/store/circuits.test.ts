import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelSettlement } from "./ai-calls.ts";
import { type ClaimChange, type LimitLab, openLimitLab, perMinute } from "./fixtures/limit-lab.ts";

let lab: LimitLab;
let names = 0;

beforeAll(async () => {
  lab = await openLimitLab();
});
afterAll(() => lab.close());

/** A bucket and a credential that no other test uses. */
const own = (change: ClaimChange = {}) => {
  names += 1;
  return { bucket: `model ${names}`, credential: `KEY_${names}`, ...change };
};
const leftMs = (answer: object): Promise<number> => lab.leftMs((answer as { until: string }).until);

/** Lets calls through and ends them, one after the other. */
async function end(calls: ClaimChange & { bucket: string }, outcome: ModelSettlement["outcome"], times = 1) {
  for (let call = 0; call < times; call += 1) {
    const { key, ...answer } = await lab.ask(calls);
    expect(answer).toMatchObject({ ok: true });
    await settle(calls, key, outcome);
    // A round of its own for what adapts to rounds.
    await lab.advance(1);
  }
}

const settle = (calls: ClaimChange & { bucket: string }, key: string, outcome: ModelSettlement["outcome"]) =>
  lab.settle(calls.bucket, [key], { outcome, credential: calls.credential ?? "KEY" });

describe("the circuit of a bucket", () => {
  it("opens after five calls in a row that found the provider unavailable", async () => {
    const calls = own();
    await end(calls, "unavailable", 4);
    await end(calls, "ok");
    await end(calls, "unavailable", 5);
    const refused = await lab.ask(calls);
    expect(refused).toMatchObject({ ok: false, because: "circuit", reason: "unavailable" });
    expect(await leftMs(refused)).toBeGreaterThan(9_000);
    expect(await leftMs(refused)).toBeLessThan(12_600);
    expect((await lab.gaugeOf(calls.bucket)).circuit).toMatchObject({ state: "open", reason: "unavailable" });
  });

  it("opens when more than half of the last twenty calls failed", async () => {
    const calls = own();
    for (let round = 0; round < 5; round += 1) {
      await end(calls, "unavailable", 2);
      await end(calls, "ok");
    }
    expect((await lab.gaugeOf(calls.bucket)).circuit.state).toBe("closed");
    await end(calls, "unavailable");
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "circuit" });
  });

  it("stays closed for what is no trouble of the provider's", async () => {
    const calls = own();
    await end(calls, "other", 6);
    await end(calls, "rate_limited", 6);
    expect((await lab.gaugeOf(calls.bucket)).circuit).toEqual({ state: "closed", reason: null, until: null });
  });

  it("lets one call try when its time is over, and all when that succeeds", async () => {
    const calls = own();
    await end(calls, "unavailable", 5);
    await lab.advance(10_000);
    expect((await lab.gaugeOf(calls.bucket)).circuit.state).toBe("probing");
    const probe = await lab.ask(calls);
    expect(probe).toMatchObject({ ok: true });
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "circuit" });
    await settle(calls, probe.key, "ok");
    expect((await lab.gaugeOf(calls.bucket)).circuit.state).toBe("closed");
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("opens for twice as long each time that the call fails, up to five minutes", async () => {
    const calls = own();
    await end(calls, "unavailable", 5);
    const opened: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const { until } = (await lab.gaugeOf(calls.bucket)).circuit;
      opened.push(Math.round((until!.getTime() - (await lab.now()).getTime()) / 1_000));
      await lab.goTo(until!);
      await end(calls, "unavailable");
    }
    expect(opened).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it("lets another call try when the first never came back, or was never sent", async () => {
    const calls = own({ leaseMs: 30_000 });
    await end(calls, "unavailable", 5);
    await lab.advance(10_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    await lab.advance(30_000);
    const second = await lab.ask(calls);
    expect(second).toMatchObject({ ok: true });
    await lab.settle(calls.bucket, [second.key], { sent: false, credential: calls.credential });
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("is closed by a person", async () => {
    const calls = own();
    await end(calls, "unavailable", 5);
    expect(await lab.limits.resume("no such bucket")).toBe(false);
    expect(await lab.limits.resume(calls.bucket)).toBe(true);
    expect(await lab.limits.resume(calls.bucket)).toBe(false);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });
});

describe("the circuit of a credential", () => {
  it("opens at once for all its models when the quota is used up", async () => {
    const calls = own();
    await end(calls, "quota");
    const refused = await lab.ask({ ...calls, bucket: `other ${calls.bucket}` });
    expect(refused).toMatchObject({ ok: false, because: "circuit", reason: "quota" });
    expect((await lab.gaugeOf(calls.bucket)).circuit).toMatchObject({ state: "open", reason: "quota" });
    expect((await lab.gaugeOf(calls.bucket)).recentRateLimits).toMatchObject([{ reason: "quota" }]);
  });

  it("lets no more than one call a minute try, whoever asks", async () => {
    const calls = own();
    await end(calls, "quota");
    const passed: number[] = [];
    const began = (await lab.now()).getTime();
    for (let second = 0; second < 400; second += 1) {
      await lab.advance(1_000);
      const answers = await lab.askAll([0, 1, 2].map(() => lab.claim(calls)));
      for (const { ok } of answers) if (ok) passed.push((await lab.now()).getTime() - began);
    }
    expect(passed.length).toBeGreaterThanOrEqual(5);
    const gaps = passed.map((at, place) => at - (passed[place - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(60_000);
  });

  it("tells one call to come back when it may try, and spreads the others over minutes", async () => {
    const calls = own();
    await end(calls, "quota");
    const first = await lab.ask({ ...calls, ticket: "first" });
    expect(await leftMs(first)).toBeLessThanOrEqual(61_000);
    const others = await Promise.all(Array.from({ length: 10 }, async () => leftMs(await lab.ask(calls))));
    expect(Math.min(...others)).toBeGreaterThan(7 * 60_000);
    expect(await leftMs(await lab.ask({ ...calls, ticket: "first" }))).toBeLessThanOrEqual(61_000);
  });

  it("closes when the call that tries succeeds, not by one from before", async () => {
    const calls = own();
    const old = await lab.ask(calls);
    await end(calls, "quota");
    await settle(calls, old.key, "ok");
    expect(await lab.ask(calls)).toMatchObject({ ok: false });
    await lab.advance(61_000);
    await end(calls, "ok");
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("is closed by one word of a person, and not opened again by calls from before it", async () => {
    const calls = own();
    const old = await lab.ask(calls);
    await end(calls, "quota");
    expect(await lab.limits.resume(calls.credential)).toBe(true);
    await settle(calls, old.key, "quota");
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect(await lab.limits.resume(calls.credential)).toBe(false);
  });

  it("opens for a wrong key, which may try every five minutes, and does not stop another key", async () => {
    const calls = own();
    await end({ ...calls, credentialVersion: "old" }, "auth");
    expect(await lab.ask({ ...calls, credentialVersion: "old" })).toMatchObject({ ok: false, reason: "auth" });
    expect(await lab.ask({ ...calls, credentialVersion: "new" })).toMatchObject({ ok: true });
    await lab.advance(299_000);
    expect(await lab.ask({ ...calls, credentialVersion: "old" })).toMatchObject({ ok: false });
    await lab.advance(1_000);
    expect(await lab.ask({ ...calls, credentialVersion: "old" })).toMatchObject({ ok: true });
    await end({ ...calls, credentialVersion: "new" }, "ok");
    expect((await lab.gaugeOf(calls.bucket)).circuit.state).toBe("closed");
  });

  it("takes no budget and no limit for a call that it stops", async () => {
    const calls = own({
      limits: perMinute(5),
      accounts: [{ account: "all/circuit", limitMicroUsd: 100 }],
      costMicroUsd: 10,
    });
    await end(calls, "quota");
    await lab.ask(calls);
    expect(await lab.budgets.accounts("all/circuit")).toMatchObject([{ spentMicroUsd: 10 }]);
    expect((await lab.gaugeOf(calls.bucket)).gauges).toMatchObject([{ used: 1 }]);
  });
});
