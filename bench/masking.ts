import { builtInDetectors, createMasker } from "../src/ai/mask/index.ts";
import { heldOut, labelledForms, labelledTexts } from "./masking/labelled-texts.ts";
import { scoreTexts } from "./masking/score.ts";
import type { Benchmark, Figures } from "./report.ts";

const seed = 7;
const letters = ["a", "A", "7", " ", "@", "-", ".", "\\", '"', "é"];
const pairs = ["0 ", "1.", "a@", "A ", "a.", "1-", "+1", '\\"'];

/** How much of what is personal is masked, how much else is, and how fast. */
export const masking: Benchmark = {
  name: "masking",
  asks: "how much personal data does masking find, how much else does it take for such, and how fast?",
  load:
    "Own data: texts made from templates with generated values (bench/masking/), by the hand that wrote the rules; real texts are harder. " +
    "recall.KIND: share of labelled values masked completely and as their kind. " +
    "precision.KIND: share of what was masked as the kind that is one. known.KIND: recall in forms whose fields name the kind. " +
    "heldOut: some texts that were written by hand afterwards, all kinds together. " +
    "Speed: 1 MB of prose, the rules alone and all together; repeatedLetterMs, repeatedPairMs: the slowest 1 MB of one sign, and of two.",
  defaultRounds: 1,
  async play({ tell }) {
    const scored = await scoreTexts(labelledTexts(seed, 12));
    const forms = await scoreTexts(labelledForms(seed, 40));
    const unseen = await scoreTexts(heldOut());
    if (process.env["BENCH_MISSES"] !== undefined) {
      for (const { what, kind, value, around } of [...scored.misses, ...forms.misses, ...unseen.misses])
        tell(`${what} ${kind} ${JSON.stringify(value)} in ${JSON.stringify(around)}`);
    }
    const unseenScores = [...unseen.scores.values()];
    const all = [...scored.scores.values(), ...forms.scores.values()];
    return {
      labelledEntities: sum(all, ({ labels }) => labels),
      ...shares(scored.scores, "recall", ({ found, labels }) => found / labels),
      ...shares(scored.scores, "precision", ({ right, claimed }) => right / claimed),
      ...shares(forms.scores, "known", ({ found, labels }) => found / labels),
      heldOutEntities: sum(unseenScores, ({ labels }) => labels),
      heldOutRecall: sum(unseenScores, ({ found }) => found) / sum(unseenScores, ({ labels }) => labels),
      heldOutPrecision: sum(unseenScores, ({ right }) => right) / sum(unseenScores, ({ claimed }) => claimed),
      ...(await speeds()),
    };
  },
};

type Scores = Awaited<ReturnType<typeof scoreTexts>>["scores"];
type Score = Scores extends ReadonlyMap<unknown, infer Value> ? Value : never;

function sum(scores: readonly Score[], part: (score: Score) => number): number {
  return scores.reduce((total, score) => total + part(score), 0);
}

function shares(scores: Scores, name: string, share: (score: Score) => number): Figures {
  const named = [...scores]
    .filter(([, { labels }]) => labels > 0)
    .map(([kind, score]) => [`${name}.${kind}`, share(score)]);
  return Object.fromEntries(named) as Figures;
}

/** Megabytes a second are of the time of one core, so that a busy machine does not count. */
async function speeds(): Promise<Figures> {
  const prose = proseOf(1_000_000);
  const all = builtInDetectors();
  const [rules] = all;
  const mask = (text: string) => createMasker({ policy: {}, known: [], detectors: all }).mask([text]);
  await mask(proseOf(50_000));
  const watch = watchLoop();
  const whole = await timesOf(1, () => mask(prose));
  const longestTurnMs = watch.longestMs();
  const byRules = await timesOf(3, () => rules!.find([prose]));
  let [repeatedLetterMs, repeatedPairMs] = [0, 0];
  for (const sign of letters)
    repeatedLetterMs = Math.max(repeatedLetterMs, (await timesOf(2, () => mask(sign.repeat(1_000_000)))).wallMs);
  for (const pair of pairs)
    repeatedPairMs = Math.max(repeatedPairMs, (await timesOf(2, () => mask(pair.repeat(500_000)))).wallMs);
  return {
    mbPerSecond: 1000 / byRules.cpuMs,
    fullMbPerSecond: 1000 / whole.cpuMs,
    longestTurnMs,
    repeatedLetterMs,
    repeatedPairMs,
  };
}

/** The least time of some rounds, by the clock and of the processor. */
async function timesOf(rounds: number, work: () => Promise<unknown>): Promise<{ wallMs: number; cpuMs: number }> {
  let [wallMs, cpuMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round += 1) {
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    await work();
    const { user, system } = process.cpuUsage(cpu);
    wallMs = Math.min(wallMs, performance.now() - began);
    cpuMs = Math.min(cpuMs, (user + system) / 1000);
  }
  return { wallMs, cpuMs };
}

/** Measures for how long the event loop was held at most. */
function watchLoop(): { longestMs(): number } {
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  return {
    longestMs() {
      clearInterval(timer);
      return longest;
    },
  };
}

/** Business prose with a personal value in every few sentences, as in a long thread of mails. */
function proseOf(length: number): string {
  const parts: string[] = [];
  const texts = labelledTexts(seed + 1, 40).map(({ text }) => text);
  for (let size = 0, index = 0; size < length; index += 1) {
    const part = `${filling[index % filling.length]}\n\n${index % 3 === 0 ? texts[(index / 3) % texts.length] : ""}\n\n`;
    parts.push(part);
    size += part.length;
  }
  return parts.join("").slice(0, length);
}

const filling = [
  "The pump in the north hall was serviced last week and has run without a fault since then. The engineer replaced both seals, cleaned the intake and wrote a short report, which is attached. We would like to plan the next inspection together with the annual shutdown, so that production is not stopped twice. Please tell us whether the second week of the holidays suits you, or whether the team would rather wait until the new line is in place.",
  "Our customers ask more and more often for a portal where they can see the state of their orders. A first version could show the open orders, the expected day of delivery and the invoices of the last year. Later we can add complaints and spare parts. The estimate is about sixty days of work for two people, without the connection to the warehouse, for which the interface is still being discussed with the supplier.",
  "Thank you for the open discussion about the quality of the last deliveries. We have looked at the figures again and agree that the share of damaged boxes is too high. From next month every pallet is wrapped twice and photographed before it leaves the hall. If a box still arrives damaged, send us a picture and we will replace it without further questions.",
];
