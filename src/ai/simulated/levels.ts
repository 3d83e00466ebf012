import type { Reading } from "./reading.ts";

/** A question that is answered by more or less. */
export type Dimension = "urgency" | "size" | "interest" | "sentiment" | "spam" | "confidence";

const namesOfDimensions: readonly (readonly [RegExp, Dimension])[] = [
  [/spam|junk/, "spam"],
  [/confiden|certain/, "confidence"],
  [/urgen|priorit|severit|critical|importan|impact/, "urgency"],
  [/size|segment|scale|tier|volume|seats/, "size"],
  [/sentiment|mood|tone|satisf|happi/, "sentiment"],
  [/score|interest|fit|likel|quality|rating|temperature|potential|readiness|qualif|probab|intent/, "interest"],
];

/** Which dimension a field asks about, going by its name and then by its description; undefined when by neither. */
export function dimensionOf(name: string, description: string): Dimension | undefined {
  return dimensionIn(name) ?? dimensionIn(description);
}

function dimensionIn(words: string): Dimension | undefined {
  return namesOfDimensions.find(([pattern]) => pattern.test(words.toLowerCase()))?.[1];
}

/** How much of a dimension a message has, from 0 to 1. */
export function levelOf(dimension: Dimension, reading: Reading): number {
  return Math.min(0.98, Math.max(0.03, levels[dimension](reading)));
}

const levels: { readonly [dimension in Dimension]: (reading: Reading) => number } = {
  urgency: ({ topics }) => {
    if (topics.spam >= 3) return 0;
    const occasion = Math.min(0.2, 0.04 * topics.buying) + Math.min(0.25, 0.04 * topics.support);
    return 0.22 + occasion + 0.16 * topics.urgent - 0.14 * topics.calm - 0.04 * topics.browsing;
  },
  size: ({ topics, quantities: { seats, money } }) => {
    const words = topics.large > 0 ? 0.5 + 0.1 * topics.large : topics.small > 0 ? 0.1 : 0.25;
    if (!seats && !money) return words;
    const known = Math.max(step(seats?.count, seatSteps), step(money?.amount, moneySteps));
    return known + (topics.large > 0 ? 0.1 : 0);
  },
  interest: (reading) => {
    const { topics, stems } = reading;
    if (topics.spam >= 3) return 0.04;
    const wants = 0.055 * Math.min(7, topics.buying + 0.3 * topics.technical);
    const hinders = 0.08 * Math.min(6, topics.browsing) + 0.06 * Math.min(6, topics.support) + 0.03 * topics.people;
    const base = stems.size < 4 ? 0 : 0.13;
    return base + wants + 0.2 * levels.size(reading) + 0.2 * Math.min(1, levels.urgency(reading)) - hinders;
  },
  sentiment: ({ topics }) => 0.5 + 0.12 * topics.praise - 0.15 * topics.complaint - 0.04 * topics.support,
  spam: ({ topics }) => topics.spam / 4,
  confidence: ({ hits }) => 0.5 + 0.07 * hits.length,
};

type Steps = readonly (readonly [atLeast: number, level: number])[];
const seatSteps: Steps = [
  [500, 0.95],
  [200, 0.85],
  [50, 0.55],
  [20, 0.42],
  [0, 0.12],
];
const moneySteps: Steps = [
  [100_000, 0.95],
  [50_000, 0.85],
  [10_000, 0.55],
  [4000, 0.42],
  [0, 0.12],
];

function step(value: number | undefined, steps: Steps): number {
  return value === undefined ? 0 : (steps.find(([atLeast]) => value >= atLeast)?.[1] ?? 0);
}
