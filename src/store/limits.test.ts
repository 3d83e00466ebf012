import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClaimChange, type LimitLab, openLimitLab, perMinute } from "./fixtures/limit-lab.ts";

let lab: LimitLab;
let buckets = 0;

beforeAll(async () => {
  lab = await openLimitLab();
});
afterAll(() => lab.close());

/** What all calls of a test have in common. */
const of = (change: ClaimChange) => ({ bucket: `own ${(buckets += 1)}`, ...change });
const tokens = (input: number, output = 0) => ({ requests: 1, input_tokens: input, output_tokens: output });
const untilOf = (answer: object): string => (answer as { until: string }).until;

describe("a limit of requests a minute", () => {
  it("lets its number through, and tells the others when there is room", async () => {
    const calls = of({ limits: perMinute(5) });
    expect(await lab.countLetThrough(5, calls)).toBe(5);
    const late = await lab.ask(calls);
    expect(late).toMatchObject({ ok: false, because: "limit", kind: "requests" });
    expect(await lab.leftMs(untilOf(late))).toBeGreaterThan(60_000);
    expect(await lab.leftMs(untilOf(late))).toBeLessThanOrEqual(62_001);
  });

  it("has no room before a minute is over, and has it at the time told", async () => {
    const calls = of({ limits: perMinute(5) });
    await lab.countLetThrough(5, calls);
    const late = await lab.ask({ ...calls, ticket: "late" });
    await lab.advance(60_000);
    expect(await lab.ask({ ...calls, ticket: "late" })).toMatchObject({ ok: false });
    await lab.goTo(untilOf(late));
    expect(await lab.ask({ ...calls, ticket: "late" })).toMatchObject({ ok: true });
  });

  it("gives those that wait turns one after the other, so that nobody comes in vain", async () => {
    const calls = of({ limits: perMinute(3) });
    await lab.countLetThrough(3, calls);
    const began = await lab.now();
    const waiting = [];
    for (let at = 0; at < 7; at += 1) waiting.push(await lab.ask({ ...calls, ticket: `turn ${at}` }));
    const rounds = waiting.map((answer) =>
      Math.floor((new Date(untilOf(answer)).getTime() - began.getTime()) / 60_000),
    );
    expect(rounds).toEqual([1, 1, 1, 2, 2, 2, 3]);
    for (const { ticket, ...answer } of waiting) {
      await lab.goTo(untilOf(answer));
      expect(await lab.ask({ ...calls, ticket })).toMatchObject({ ok: true });
    }
  });

  it("keeps room for those whose turn has come, against those who come by", async () => {
    const calls = of({ limits: perMinute(1) });
    await lab.ask(calls);
    const first = await lab.ask({ ...calls, ticket: "first" });
    await lab.goTo(untilOf(first));
    expect(await lab.ask({ ...calls, ticket: "by the way" })).toMatchObject({ ok: false });
    expect(await lab.ask({ ...calls, ticket: "first" })).toMatchObject({ ok: true });
  });

  it("keeps no room for one who comes in the same statement", async () => {
    const calls = of({ limits: perMinute(3) });
    await lab.countLetThrough(3, calls);
    const first = await lab.ask({ ...calls, ticket: "first" });
    await lab.ask({ ...calls, ticket: "second" });
    await lab.goTo(untilOf(first));
    const answers = await lab.askAll([lab.claim({ ...calls, ticket: "first" }), lab.claim(calls), lab.claim(calls)]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, false]);
  });

  it("gives the room of one who does not come back to others", async () => {
    const calls = of({ limits: perMinute(1) });
    await lab.ask(calls);
    const lost = await lab.ask({ ...calls, ticket: "lost" });
    await lab.goTo(untilOf(lost));
    await lab.advance(2_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: false });
    await lab.advance(1);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("tells nobody to come back later than in about ten minutes", async () => {
    const calls = of({ limits: perMinute(1) });
    await lab.ask(calls);
    const claims = Array.from({ length: 30 }, () => lab.claim(calls));
    const answers = await lab.askAll(claims);
    const leftMs = await Promise.all(answers.map((answer) => lab.leftMs(untilOf(answer))));
    expect(Math.max(...leftMs)).toBeLessThanOrEqual(661_000);
    expect(leftMs.filter((ms) => ms > 539_000).length).toBeGreaterThan(15);
    // Of these, everyone comes at a time of its own.
    expect(new Set(leftMs.slice(-10)).size).toBe(10);
  });

  it("lets the same call through twice without counting it twice", async () => {
    const calls = of({ limits: perMinute(2), key: "again" });
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect((await lab.gaugeOf(calls.bucket)).gauges).toEqual([
      { kind: "requests", limit: 2, used: 1, perMs: 60_000, learned: false },
    ]);
  });

  it("gives back a call that was never sent", async () => {
    const calls = of({ limits: perMinute(1) });
    const { key } = await lab.ask(calls);
    await lab.settle(calls.bucket, [key], { sent: false });
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("stays exact when the clock is put back", async () => {
    const calls = of({ limits: perMinute(4) });
    await lab.countLetThrough(4, calls);
    const began = await lab.now();
    await lab.advance(-3_600_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: false });
    await lab.advance(59_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: false });
    await lab.advance(4_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    await lab.goTo(began);
  });

  it("answers many calls of several buckets in their order", async () => {
    const [a, b] = [of({ limits: perMinute(2) }), of({ limits: perMinute(1) })];
    const answers = await lab.askAll([b, a, b, a, a].map((calls) => lab.claim(calls)));
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, false, true, false]);
  });
});

describe("lanes", () => {
  it("leave a share that only the interactive one may take", async () => {
    const calls = of({ limits: perMinute(10) });
    expect(await lab.countLetThrough(12, { ...calls, lane: 1 })).toBe(8);
    expect(await lab.countLetThrough(12, { ...calls, lane: 0 })).toBe(2);
  });

  it("leave at least one request to the interactive one", async () => {
    const calls = of({ limits: perMinute(2) });
    expect(await lab.countLetThrough(3, { ...calls, lane: 2 })).toBe(1);
    expect(await lab.ask({ ...calls, lane: 0 })).toMatchObject({ ok: true });
  });

  it("leave a lane its part, however much the interactive one took of the rest", async () => {
    const calls = of({ limits: perMinute(10) });
    expect(await lab.countLetThrough(2, { ...calls, lane: 0 })).toBe(2);
    expect(await lab.countLetThrough(12, { ...calls, lane: 1 })).toBe(8);
  });

  it("go in order: batch waits while others have their turn", async () => {
    const calls = of({ limits: perMinute(1), interactiveShare: 0 });
    await lab.ask({ ...calls, lane: 1 });
    const batch = await lab.ask({ ...calls, lane: 2, ticket: "batch" });
    const standard = await lab.ask({ ...calls, lane: 1, ticket: "standard" });
    expect(new Date(untilOf(standard)).getTime()).toBeLessThanOrEqual(new Date(untilOf(batch)).getTime());
    await lab.goTo(untilOf(batch));
    expect(await lab.ask({ ...calls, lane: 2, ticket: "batch" })).toMatchObject({ ok: false });
    expect(await lab.ask({ ...calls, lane: 1, ticket: "standard" })).toMatchObject({ ok: true });
  });
});

describe("limits of tokens", () => {
  it("count what a call may take, and give back what it did not", async () => {
    const calls = of({ limits: perMinute(10_000, "output_tokens"), amounts: tokens(0, 4_000) });
    const { key } = await lab.ask(calls);
    expect(await lab.countLetThrough(2, calls)).toBe(1);
    await lab.settle(calls.bucket, [key], { used: { input_tokens: 0, output_tokens: 100 } });
    expect((await lab.gaugeOf(calls.bucket)).gauges[0]).toMatchObject({ used: 4_100 });
    expect(await lab.countLetThrough(3, calls)).toBe(1);
  });

  it("count at once what a call used beyond", async () => {
    const calls = of({ limits: perMinute(1_000, "input_tokens"), amounts: tokens(100) });
    const { key } = await lab.ask(calls);
    await lab.settle(calls.bucket, [key], { used: { input_tokens: 950, output_tokens: 5 } });
    expect(await lab.ask(calls)).toMatchObject({ ok: false, kind: "input_tokens" });
  });

  it("count input and output together where the provider does", async () => {
    const calls = of({ limits: perMinute(1_000, "tokens"), amounts: tokens(300, 200) });
    expect(await lab.countLetThrough(3, calls)).toBe(2);
  });

  it("refuse for good what is larger than the whole limit", async () => {
    const calls = of({ limits: perMinute(1_000, "input_tokens"), amounts: tokens(1_001) });
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "too_low", kind: "input_tokens", limit: 1_000 });
  });

  it("let a call larger than its lane's part go alone", async () => {
    const calls = of({ lane: 1, limits: perMinute(1_000, "input_tokens"), amounts: tokens(900) });
    expect(await lab.countLetThrough(2, calls)).toBe(1);
  });

  it("do not starve a large call behind small ones", async () => {
    const limits = perMinute(1_000, "input_tokens");
    const small = of({ limits, amounts: tokens(100) });
    expect(await lab.countLetThrough(10, small)).toBe(10);
    const large = { ...small, amounts: tokens(800), ticket: "large" };
    let answer = await lab.ask(large);
    for (let second = 0; second < 70 && !answer.ok; second += 1) {
      await lab.advance(1_000);
      await lab.countLetThrough(2, small);
      if (new Date(untilOf(answer)) <= (await lab.now())) answer = await lab.ask(large);
    }
    expect(answer).toMatchObject({ ok: true });
  });

  it("let one that found no room at its turn go before those whose turn came later", async () => {
    const calls = of({ limits: perMinute(1_000, "input_tokens") });
    const began = (await lab.now()).getTime();
    const at = (ms: number) => lab.goTo(new Date(began + ms));
    await lab.ask({ ...calls, amounts: tokens(700) });
    await at(10_000);
    const second = await lab.ask({ ...calls, amounts: tokens(250) });
    const large = { ...calls, amounts: tokens(700), ticket: "large" };
    const small = { ...calls, amounts: tokens(100), ticket: "small" };
    const [largeTurn, smallTurn] = [untilOf(await lab.ask(large)), untilOf(await lab.ask(small))];
    await at(20_000);
    const third = await lab.ask({ ...calls, amounts: tokens(50) });
    // They used more than they asked for, so that the large one does not fit at its turn.
    await lab.settle(calls.bucket, [second.key], { used: { input_tokens: 600, output_tokens: 0 } });
    await lab.settle(calls.bucket, [third.key], { used: { input_tokens: 250, output_tokens: 0 } });
    await lab.goTo(largeTurn);
    const refused = await lab.ask(large);
    expect(refused).toMatchObject({ ok: false });
    await lab.goTo(smallTurn);
    await lab.goTo(untilOf(refused));
    expect(await lab.ask(small)).toMatchObject({ ok: false });
    expect(await lab.ask(large)).toMatchObject({ ok: true });
  });

  it("let those that wait come soon when calls under way will give back most of what they took", async () => {
    const calls = of({ limits: perMinute(10_000, "output_tokens"), amounts: tokens(0, 2_000) });
    for (let round = 0; round < 30; round += 1) {
      const { key } = await lab.ask(calls);
      await lab.settle(calls.bucket, [key], { used: { input_tokens: 0, output_tokens: 20 } });
    }
    await lab.advance(62_000);
    await lab.countLetThrough(5, calls);
    expect(await lab.leftMs(untilOf(await lab.ask(calls)))).toBeLessThan(5_000);
  });
});

describe("what providers tell", () => {
  const told = { kind: "requests", limit: null, remaining: null, resetAt: null } as const;

  it("is learned where it is less than configured, or nothing is; and forgotten after an hour", async () => {
    for (const limits of [[], perMinute(100)]) {
      const calls = of({ limits });
      const { key } = await lab.ask(calls);
      await lab.settle(calls.bucket, [key], { learned: [{ ...told, limit: 3 }] });
      expect((await lab.gaugeOf(calls.bucket)).gauges).toMatchObject([{ limit: 3, used: 1, learned: true }]);
      expect(await lab.countLetThrough(5, calls)).toBe(2);
      await lab.advance(3_700_000);
      expect(await lab.countLetThrough(5, calls)).toBe(5);
    }
  });

  it("does not stop a call that is larger than a learned limit for good", async () => {
    const calls = of({ amounts: tokens(500) });
    const { key } = await lab.ask({ ...calls, amounts: tokens(1) });
    await lab.settle(calls.bucket, [key], { learned: [{ ...told, kind: "input_tokens", limit: 100 }] });
    await lab.advance(70_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
  });

  it("counts others of the same key until the reset", async () => {
    const calls = of({ limits: perMinute(10) });
    const { key } = await lab.ask(calls);
    const resetAt = new Date((await lab.now()).getTime() + 20_000).toISOString();
    await lab.settle(calls.bucket, [key], { learned: [{ ...told, limit: 10, remaining: 2, resetAt }] });
    expect(await lab.countLetThrough(5, calls)).toBe(2);
    expect(await lab.leftMs(untilOf(await lab.ask({ ...calls, ticket: "waits" })))).toBeLessThan(20_100);
    await lab.advance(20_100);
    // Three have left, and four wait whose turn has come.
    expect(await lab.countLetThrough(9, calls)).toBe(3);
  });

  it("changes nothing when it is unknown, or makes no sense", async () => {
    const calls = of({ limits: perMinute(3) });
    const { key } = await lab.ask(calls);
    const learned = [
      told,
      { ...told, limit: 0 },
      { ...told, limit: -1, remaining: -5 },
      { ...told, kind: "images" as "requests", limit: 1 },
    ];
    await lab.settle(calls.bucket, [key], { learned });
    expect(await lab.countLetThrough(5, calls)).toBe(2);
  });
});

describe("an announced wait", () => {
  it("closes the bucket for all until its end, and no longer than an hour at a time", async () => {
    const calls = of({});
    const { key } = await lab.ask(calls);
    const pauseUntil = new Date((await lab.now()).getTime() + 7_200_000);
    await lab.settle(calls.bucket, [key], { outcome: "rate_limited", pauseUntil: pauseUntil.toISOString() });
    const refused = await lab.ask(calls);
    expect(refused).toMatchObject({ ok: false, because: "paused" });
    expect(await lab.leftMs(untilOf(refused))).toBeLessThanOrEqual(3_600_000);
    await lab.goTo(new Date(pauseUntil.getTime() - 1));
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "paused" });
    await lab.goTo(pauseUntil);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect((await lab.gaugeOf(calls.bucket)).recentRateLimits).toMatchObject([
      { reason: "rate_limited", retryAfterMs: 7_200_000 },
    ]);
  });

  it("does not end sooner because of another one", async () => {
    const calls = of({});
    const [a, b] = [await lab.ask(calls), await lab.ask(calls)];
    const pause = async (ms: number) => new Date((await lab.now()).getTime() + ms).toISOString();
    await lab.settle(calls.bucket, [a.key], { outcome: "rate_limited", pauseUntil: await pause(30_000) });
    await lab.settle(calls.bucket, [b.key], { outcome: "rate_limited", pauseUntil: await pause(5_000) });
    await lab.advance(10_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "paused" });
  });
});

describe("requests under way at once", () => {
  it("are held to the concurrency, and a place is free when a call has ended", async () => {
    const calls = of({ concurrency: 2 });
    const { key } = await lab.ask(calls);
    expect(await lab.countLetThrough(3, calls)).toBe(1);
    expect(await lab.ask(calls)).toMatchObject({ ok: false, because: "limit", kind: "concurrency" });
    await lab.settle(calls.bucket, [key]);
    await lab.advance(20_000);
    expect(await lab.countLetThrough(3, calls)).toBe(1);
  });

  it("give the place of a dead process back when its lease is over", async () => {
    const calls = of({ concurrency: 1, leaseMs: 30_000 });
    const { key } = await lab.ask(calls);
    await lab.advance(31_000);
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect((await lab.gaugeOf(calls.bucket)).inFlight).toBe(1);
    // It was not dead after all: what it says later frees no place twice.
    await lab.settle(calls.bucket, [key]);
    expect(await lab.ask(calls)).toMatchObject({ ok: false, kind: "concurrency" });
  });

  it("become fewer with trouble, once for each round, and more again with success", async () => {
    const calls = of({ concurrency: 10, interactiveShare: 0 });
    const keys = await Promise.all(Array.from({ length: 10 }, async () => (await lab.ask(calls)).key));
    await lab.advance(1_000);
    await lab.settle(calls.bucket, keys.slice(0, 4), { outcome: "rate_limited" });
    expect((await lab.gaugeOf(calls.bucket)).concurrency).toBe(7);
    await lab.settle(calls.bucket, keys.slice(4));
    for (let round = 0; round < 30; round += 1) await lab.settle(calls.bucket, [(await lab.ask(calls)).key]);
    expect((await lab.gaugeOf(calls.bucket)).concurrency).toBe(10);
  });

  it("are limited by trouble also where nothing is configured, and not below eight: a lone failure tells nothing", async () => {
    const calls = of({});
    for (let round = 0; round < 4; round += 1) {
      const { key } = await lab.ask(calls);
      await lab.advance(1_000);
      await lab.settle(calls.bucket, [key], { outcome: "rate_limited" });
    }
    expect((await lab.gaugeOf(calls.bucket)).concurrency).toBe(8);
    expect(await lab.countLetThrough(9, calls)).toBe(8);
    const refused = await lab.ask(calls);
    expect(refused).toMatchObject({ ok: false, because: "limit" });
    // However many wait: room comes with each answer, and nobody calls them.
    const waitMs = Date.parse((refused as { until: string }).until) - (await lab.now()).getTime();
    expect(waitMs).toBeLessThanOrEqual(6_001);
  });
});

describe("what is kept", () => {
  it("is told by the gauges, with the end of a limit that is used up faster than it comes back", async () => {
    const calls = of({ limits: perMinute(4), concurrency: 50 });
    await lab.countLetThrough(6, calls);
    const gauge = await lab.gaugeOf(calls.bucket);
    expect(gauge).toMatchObject({ credential: "KEY", inFlight: 4, concurrency: 50, waiting: 2, pausedUntil: null });
    expect(gauge.forecast).toEqual({ kind: "requests", endsAt: await lab.now() });
    await lab.advance(120_000);
    expect((await lab.gaugeOf(calls.bucket)).gauges).toMatchObject([{ used: 0 }]);
    expect((await lab.gaugeOf(calls.bucket)).forecast).toBeNull();
  });

  it("goes when nobody uses it any more", async () => {
    const calls = of({ limits: perMinute(4) });
    await lab.countLetThrough(5, calls);
    const began = await lab.now();
    await lab.limits.sweep();
    expect((await lab.limits.gauges()).map(({ bucket }) => bucket)).toContain(calls.bucket);
    await lab.advance(31 * 86_400_000);
    await lab.limits.sweep();
    for (const table of ["model_buckets", "model_slices", "model_tickets", "model_claims"]) {
      expect(await lab.query(`select * from sluice.${table} where bucket = $1`, [calls.bucket])).toEqual([]);
    }
    await lab.goTo(began);
  });
});
