import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LimitLab, openLimitLab, perMinute } from "./fixtures/limit-lab.ts";

let lab: LimitLab;
let names = 0;

beforeAll(async () => {
  lab = await openLimitLab();
});
afterAll(() => lab.close());

/** Names of accounts that no other test uses. */
const name = (prefix = "all") => `${prefix}/own-${(names += 1)}`;
const paid = (account: string, limitMicroUsd: number, costMicroUsd: number | null) => ({
  bucket: account,
  accounts: [{ account, limitMicroUsd }],
  costMicroUsd,
});
const spentOf = async (account: string): Promise<number | undefined> =>
  (await lab.budgets.accounts(account)).find((one) => one.account === account)?.spentMicroUsd;

describe("a budget", () => {
  it("sets the most that a call can cost aside, and corrects it when the cost is known", async () => {
    const account = name();
    const { key } = await lab.ask(paid(account, 100, 60));
    expect(await lab.ask(paid(account, 100, 60))).toMatchObject({
      ok: false,
      because: "budget",
      account,
      limitMicroUsd: 100,
      spentMicroUsd: 60,
    });
    await lab.settle(account, [key], { costMicroUsd: 15 });
    expect(await spentOf(account)).toBe(15);
    expect(await lab.ask(paid(account, 100, 60))).toMatchObject({ ok: true });
  });

  it("keeps the worst case of a call whose cost is not known, and gives back what was never sent", async () => {
    const account = name();
    const [unknown, unsent] = [await lab.ask(paid(account, 100, 30)), await lab.ask(paid(account, 100, 40))];
    await lab.settle(account, [unknown.key], { costMicroUsd: null });
    await lab.settle(account, [unsent.key], { costMicroUsd: null, sent: false });
    expect(await spentOf(account)).toBe(30);
  });

  it("is corrected once, however often a call is settled", async () => {
    const account = name();
    const { key } = await lab.ask(paid(account, 100, 30));
    await lab.settle(account, [key, key], { costMicroUsd: 5 });
    await lab.settle(account, [key], { costMicroUsd: 5 });
    expect(await spentOf(account)).toBe(5);
  });

  it("takes from all accounts of a call or from none", async () => {
    const [wide, narrow] = [name(), name()];
    const accounts = [
      { account: wide, limitMicroUsd: 1_000 },
      { account: narrow, limitMicroUsd: 10 },
    ];
    const calls = { bucket: wide, accounts, costMicroUsd: 8 };
    expect(await lab.ask(calls)).toMatchObject({ ok: true });
    expect(await lab.ask(calls)).toMatchObject({ ok: false, account: narrow });
    expect([await spentOf(wide), await spentOf(narrow)]).toEqual([8, 8]);
  });

  it("takes nothing for a call that finds no room under a limit", async () => {
    const account = name();
    const calls = { ...paid(account, 1_000, 10), limits: perMinute(2) };
    expect(await lab.countLetThrough(5, calls)).toBe(2);
    expect(await spentOf(account)).toBe(20);
  });

  it("holds no room under a limit for a call that it has not enough for", async () => {
    const account = name();
    const calls = { ...paid(account, 100, 60), limits: perMinute(1) };
    await lab.ask(calls);
    const { until } = (await lab.ask({ ...calls, accounts: [], ticket: "poor" })) as unknown as { until: string };
    await lab.goTo(until);
    expect(await lab.ask({ ...calls, ticket: "poor" })).toMatchObject({ ok: false, because: "budget" });
    expect(await lab.ask({ ...calls, accounts: [] })).toMatchObject({ ok: true });
  });

  it("refuses a call whose price is unknown", async () => {
    expect(await lab.ask(paid(name(), 100, null))).toMatchObject({ ok: false, because: "price_unknown" });
  });

  it("may be raised by a person, whose word counts once", async () => {
    const account = name();
    expect(await lab.budgets.allow(account, 50, "first word")).toBe(false);
    await lab.ask(paid(account, 100, 100));
    const told = await Promise.all([1, 2, 3].map(() => lab.budgets.allow(account, 50, "first word")));
    expect(told).toEqual([true, true, true]);
    expect(await lab.countLetThrough(3, paid(account, 100, 30))).toBe(1);
    expect(await lab.budgets.accounts(account)).toMatchObject([
      { limitMicroUsd: 150, allowedMicroUsd: 50, spentMicroUsd: 130 },
    ]);
    await lab.budgets.allow(account, 10, "second word");
    expect(await lab.ask(paid(account, 100, 30))).toMatchObject({ ok: true });
  });

  it("follows the configuration when its limit changes", async () => {
    const account = name();
    await lab.ask(paid(account, 100, 90));
    expect(await lab.ask(paid(account, 200, 90))).toMatchObject({ ok: true });
    expect(await lab.budgets.accounts(account)).toMatchObject([{ limitMicroUsd: 200 }]);
  });

  it("tells when it is used up at the rate of late, but not beyond its day", async () => {
    const day = (await lab.now()).toISOString().slice(0, 10);
    const [fast, slow] = [`all/fast/${day}`, `all/slow/${day}`];
    await Promise.all([lab.ask(paid(fast, 1_000, 100)), lab.ask(paid(slow, 100_000, 100))]);
    await lab.advance(600_000);
    await Promise.all([lab.ask(paid(fast, 1_000, 100)), lab.ask(paid(slow, 100_000, 100))]);
    // 200 in ten minutes, and 800 are left.
    const [{ endsAt } = { endsAt: null }] = await lab.budgets.accounts(fast);
    expect(endsAt!.getTime() - (await lab.now()).getTime()).toBe(2_400_000);
    expect(await lab.budgets.accounts(slow)).toMatchObject([{ endsAt: null }]);
  });

  it("is forgotten: that of a run after a week, that of a day after more than a year", async () => {
    const [run, day] = [name("run"), name("flow")];
    const began = await lab.now();
    await lab.ask(paid(run, 100, 1));
    await lab.ask(paid(day, 100, 1));
    await lab.advance(8 * 86_400_000);
    await lab.limits.sweep();
    expect([await spentOf(run), await spentOf(day)]).toEqual([undefined, 1]);
    await lab.advance(400 * 86_400_000);
    await lab.limits.sweep();
    expect(await spentOf(day)).toBeUndefined();
    await lab.goTo(began);
  });
});

function turned<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by % list.length), ...list.slice(0, by % list.length)];
}

describe("many calls at once", () => {
  it("[R9] never spend more than the budget: 1,000 calls on $1 over twenty connections", async () => {
    const [budget, flow] = [name(), name("flow")];
    const accounts = [
      { account: budget, limitMicroUsd: 1_000_000 },
      { account: flow, limitMicroUsd: 5_000_000 },
    ];
    const costMicroUsd = 7_321;
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => lab.ask({ bucket: `crowd ${at % 3}`, accounts, costMicroUsd })),
    );
    const passed = answers.filter(({ ok }) => ok);
    expect(passed).toHaveLength(Math.floor(1_000_000 / costMicroUsd));
    expect(answers.filter((answer) => !answer.ok && answer.because !== "budget")).toEqual([]);
    expect([await spentOf(budget), await spentOf(flow)]).toEqual([136 * costMicroUsd, 136 * costMicroUsd]);
  });

  it("end without a deadlock, whatever order they name buckets and accounts in", async () => {
    const accounts = Array.from({ length: 4 }, () => name());
    const buckets = ["x", "y", "z"].map((letter) => `deadlock ${letter}`);
    const play = async (seat: number): Promise<void> => {
      for (let round = 0; round < 15; round += 1) {
        const paying = turned(accounts, seat + round).map((account) => ({ account, limitMicroUsd: 1_000_000_000 }));
        const claims = turned(buckets, seat).map((bucket) => lab.claim({ bucket, accounts: paying, costMicroUsd: 5 }));
        await lab.askAll(claims);
        const ends = turned(claims, round).map(({ key, bucket }) => ({
          key, bucket, credential: "KEY", used: {}, costMicroUsd: 1, sent: true, learned: [], pauseUntil: null,
          outcome: round % 5 === 4 ? "quota" : "ok",
        })); // oxfmt-ignore
        await lab.query("select sluice.settle_model_calls($1::json)", [JSON.stringify(ends)]);
        if (round % 5 === 4) await lab.limits.resume("KEY");
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, seat) => play(seat)));
    const sums = await Promise.all(accounts.map(spentOf));
    expect(new Set(sums).size).toBe(1);
    expect(await lab.query("select * from sluice.model_claims where bucket like 'deadlock%'")).toEqual([]);
  });
});
