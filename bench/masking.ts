import { builtInDetectors, createMasker } from "../src/ai/mask/index.ts";
import { labelledForms, labelledTexts } from "./masking/labelled-texts.ts";
import { scoreTexts } from "./masking/score.ts";
import type { Benchmark, Figures } from "./report.ts";

const seed = 7;
const repeated = ["a", "A", "7", " ", "@", "-", ".", "\\", "é", "0 ", "1.", "a@", "Aa "];

/** How much of what is personal is masked, how much else is, and how fast. */
export const masking: Benchmark = {
  name: "masking",
  asks: "how much personal data does masking find, how much else does it take for such, and how fast?",
  load:
    "Own data: texts made from templates with generated values (bench/masking/), by the hand that wrote the rules; real texts are harder. " +
    "recall.KIND: share of labelled values masked completely and as their kind. hidden.KIND: masked completely as any kind. " +
    "precision.KIND: share of what was masked as the kind that is one. known.KIND: recall in forms whose fields name the kind. " +
    "Speed: one text of prose; repeatedLetterMs: the slowest of 1 MB of one letter or sign.",
  defaultRounds: 1,
  async play({ tell }) {
    const scored = await scoreTexts(labelledTexts(seed, 12));
    const forms = await scoreTexts(labelledForms(seed, 40));
    if (process.env["SLUICE_BENCH_MISSES"] !== undefined) {
      for (const { what, kind, value, around } of [...scored.misses, ...forms.misses])
        tell(`${what} ${kind} ${JSON.stringify(value)} in ${JSON.stringify(around)}`);
    }
    const all = [...scored.scores.values(), ...forms.scores.values()];
    return {
      labelledEntities: all.reduce((sum, { labels }) => sum + labels, 0),
      ...shares(scored.scores, "recall", ({ found, labels }) => found / labels),
      ...shares(scored.scores, "hidden", ({ hidden, labels }) => hidden / labels),
      ...shares(scored.scores, "precision", ({ right, claimed }) => right / claimed),
      ...shares(forms.scores, "known", ({ hidden, labels }) => hidden / labels),
      ...(await speeds()),
    };
  },
};

type Scores = Awaited<ReturnType<typeof scoreTexts>>["scores"];
type Score = Scores extends ReadonlyMap<unknown, infer Value> ? Value : never;

function shares(scores: Scores, name: string, share: (score: Score) => number): Figures {
  const named = [...scores]
    .filter(([, { labels }]) => labels > 0)
    .map(([kind, score]) => [`${name}.${kind}`, share(score)]);
  return Object.fromEntries(named) as Figures;
}

async function speeds(): Promise<Figures> {
  const prose = proseOf(1_000_000);
  const [rules] = builtInDetectors();
  const rulesMs = await quickestMs(3, () => rules!.find([prose]));
  const all = builtInDetectors();
  // Each time other words, so that no judgement of an earlier round is remembered.
  let firstMs = 0;
  let blockedMs = 0;
  {
    const watch = watchLoop();
    firstMs = await quickestMs(1, () => createMasker({ policy: {}, known: [], detectors: all }).mask([prose]));
    blockedMs = watch.longestMs();
  }
  let repeatedLetterMs = 0;
  for (const sign of repeated) {
    const text = sign.repeat(1_000_000 / sign.length);
    repeatedLetterMs = Math.max(
      repeatedLetterMs,
      await quickestMs(1, () => createMasker({ policy: {}, known: [], detectors: all }).mask([text])),
    );
  }
  return { mbPerSecond: 1000 / rulesMs, fullMbPerSecond: 1000 / firstMs, longestTurnMs: blockedMs, repeatedLetterMs };
}

async function quickestMs(times: number, work: () => Promise<unknown>): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < times; round += 1) {
    const began = performance.now();
    await work();
    quickest = Math.min(quickest, performance.now() - began);
  }
  return quickest;
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
