import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LimitLab, openLimitLab } from "./fixtures/limit-lab.ts";

let lab: LimitLab;
let worlds = 0;

beforeAll(async () => {
  lab = await openLimitLab();
});
afterAll(() => lab.close());

const perMs = 60_000;
const sliceMs = perMs / 60;

/** What happens to a bucket: time passes, a call comes, one that waited comes back at its time, or a call ends. */
type Event =
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "come"; readonly lane: number; readonly tokens: number }
  | { readonly kind: "return"; readonly which: number }
  | { readonly kind: "end"; readonly which: number; readonly used: number; readonly sent: boolean };

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass"), ms: fc.integer({ min: 1, max: 40_000 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("come"),
        lane: fc.integer({ min: 0, max: 2 }),
        tokens: fc.integer({ min: 1, max: 600 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("return"), which: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("end"),
        which: fc.nat(),
        used: fc.integer({ min: 0, max: 600 }),
        sent: fc.boolean(),
      }),
    },
  ),
  { minLength: 5, maxLength: 50 },
);

const limits = fc.record({
  requests: fc.integer({ min: 1, max: 6 }),
  tokens: fc.integer({ min: 600, max: 2_000 }),
  share: fc.constantFrom(0, 0.2, 0.5),
  budget: fc.integer({ min: 100, max: 10_000 }),
});

/** A call that was let through, as an observer counts it. */
interface Passed {
  readonly key: string;
  readonly atMs: number;
  readonly lane: number;
  requests: number;
  tokens: number;
  cost: number;
  isEnded: boolean;
}

interface Waiting {
  readonly ticket: string;
  readonly lane: number;
  readonly tokens: number;
  /** When it was told to come at first, and last. */
  readonly turnMs: number;
  readonly untilMs: number;
}

/** A bucket with a budget, and an observer who writes down what passes and knows nothing of slices. */
class World {
  readonly passed: Passed[] = [];
  readonly waiting: Waiting[] = [];
  readonly #limits: { readonly requests: number; readonly tokens: number; readonly share: number; readonly budget: number };
  readonly #name = `world ${(worlds += 1)}`;
  nowMs = 0;

  constructor(chosen: { readonly requests: number; readonly tokens: number; readonly share: number; readonly budget: number }) {
    this.#limits = chosen;
  }

  async begin(): Promise<void> {
    this.nowMs = (await lab.now()).getTime();
  }

  async play(event: Event): Promise<void> {
    if (event.kind === "pass") return this.goTo(this.nowMs + event.ms);
    if (event.kind === "come") return this.ask(crypto.randomUUID(), event);
    if (event.kind === "return") return this.return(this.waiting[event.which % Math.max(1, this.waiting.length)]);
    const open = this.passed.filter(({ isEnded }) => !isEnded);
    const call = open[event.which % Math.max(1, open.length)];
    if (!call) return;
    const [used, cost] = event.sent ? [event.used, Math.min(call.cost, event.used)] : [0, 0];
    await lab.settle(this.#name, [call.key], {
      used: { input_tokens: used, output_tokens: 0 },
      costMicroUsd: event.sent ? cost : null,
      sent: event.sent,
    });
    Object.assign(call, { isEnded: true, requests: event.sent ? 1 : 0, tokens: used, cost });
  }

  async goTo(ms: number): Promise<void> {
    this.nowMs = Math.max(this.nowMs, ms);
    await lab.goTo(new Date(this.nowMs));
  }

  /** One that waits comes back when it was told to. */
  async return(who: Waiting | undefined): Promise<void> {
    if (!who) return;
    await this.goTo(who.untilMs);
    this.waiting.splice(this.waiting.indexOf(who), 1);
    await this.ask(who.ticket, who);
  }

  async ask(ticket: string, { lane, tokens, turnMs }: { lane: number; tokens: number; turnMs?: number }): Promise<void> {
    const { requests, share, budget } = this.#limits;
    const answer = await lab.ask({
      bucket: this.#name, ticket, lane, interactiveShare: share, leaseMs: 1e9,
      limits: [{ kind: "requests", limit: requests, perMs }, { kind: "input_tokens", limit: this.#limits.tokens, perMs }],
      amounts: { requests: 1, input_tokens: tokens, output_tokens: 0 },
      accounts: [{ account: `all/${this.#name}`, limitMicroUsd: budget }], costMicroUsd: tokens,
    }); // oxfmt-ignore
    if (answer.ok) {
      this.passed.push({ key: answer.key, atMs: this.nowMs, lane, requests: 1, tokens, cost: tokens, isEnded: false });
      return this.#judgeWindow(tokens);
    }
    if (answer.because === "budget") {
      expect(this.spent + tokens).toBeGreaterThan(budget);
      return;
    }
    expect(answer.because).toBe("limit");
    const untilMs = new Date((answer as { until: string }).until).getTime();
    expect(untilMs).toBeGreaterThan(this.nowMs);
    expect(untilMs).toBeLessThan(this.nowMs + 661_000);
    if (turnMs === undefined) this.#judgeRefusal(lane, tokens);
    this.waiting.push({ ticket, lane, tokens, turnMs: turnMs ?? untilMs, untilMs });
  }

  get spent(): number {
    return this.passed.reduce((sum, { cost }) => sum + cost, 0);
  }

  /** What counts of the calls since a time. */
  #since(ms: number, lanes: number) {
    const calls = this.passed.filter(({ atMs, lane }) => atMs > ms && lane >= lanes);
    return {
      requests: calls.reduce((sum, call) => sum + call.requests, 0),
      tokens: calls.reduce((sum, call) => sum + call.tokens, 0),
    };
  }

  /** The newest call, and so each, must fit into the window that ends with it. */
  #judgeWindow(own: number): void {
    const { requests, tokens, share, budget } = this.#limits;
    const [all, others] = [this.#since(this.nowMs - perMs, 0), this.#since(this.nowMs - perMs, 1)];
    expect(all.requests).toBeLessThanOrEqual(requests);
    expect(all.tokens).toBeLessThanOrEqual(tokens);
    if ((this.passed.at(-1)?.lane ?? 0) > 0) {
      const reserved = requests > 1 && share > 0 ? Math.max(1, Math.floor(requests * share)) : 0;
      expect(others.requests).toBeLessThanOrEqual(requests - reserved);
      expect(others.tokens).toBeLessThanOrEqual(Math.max(own, tokens - Math.floor(tokens * share)));
    }
    expect(this.spent).toBeLessThanOrEqual(budget);
  }

  /** Who is refused at first must not fit into a window and its guard, with those whose turn has come. */
  #judgeRefusal(lane: number, own: number): void {
    const { requests, tokens, share } = this.#limits;
    const sinceMs = this.nowMs - perMs - 2 * sliceMs;
    const [all, others] = [this.#since(sinceMs, 0), this.#since(sinceMs, 1)];
    const due = this.waiting.filter(({ turnMs }) => turnMs <= this.nowMs);
    const ahead = { requests: due.length, tokens: due.reduce((sum, one) => sum + one.tokens, 0) };
    const room = lane === 0 ? 1 : 1 - share;
    const counted = lane === 0 ? all : { requests: Math.max(all.requests * room, others.requests), tokens: Math.max(all.tokens * room, others.tokens) };
    const isFull =
      counted.requests + ahead.requests + 1 > Math.max(1, Math.floor(requests * room) - (share > 0 ? 1 : 0)) ||
      counted.tokens + ahead.tokens + own > Math.floor(tokens * room);
    expect(isFull).toBe(true);
  }
}

describe("a bucket and a budget, whatever comes", () => {
  it("hold every window and the budget, refuse nobody without need, and let all that wait through in the end", async () => {
    await fc.assert(
      fc.asyncProperty(limits, events, async (chosen, happening) => {
        const world = new World(chosen);
        await world.begin();
        for (const event of happening) await world.play(event);
        const [account] = await lab.budgets.accounts(`all/world ${worlds}`);
        if (account) expect(account.spentMicroUsd).toBe(world.spent);
        // All that wait come back when they are told to: each finds room before long, or no money.
        for (let steps = 0; world.waiting.length > 0; steps += 1) {
          expect(steps).toBeLessThan(400);
          await world.return(world.waiting.toSorted((a, b) => a.untilMs - b.untilMs)[0]);
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
