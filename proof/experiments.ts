import type { Experiment } from "./experiment.ts";
import { crashPoints } from "./crash-points.ts";
import { frozen } from "./frozen.ts";
import { kill } from "./kill.ts";
import { poison } from "./poison.ts";

const built: readonly Experiment[] = [kill, crashPoints, frozen, poison];

/** All experiments that are built, in the order of their numbers. */
export const experiments: readonly Experiment[] = built.toSorted((a, b) => a.number - b.number);
