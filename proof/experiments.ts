import type { Experiment } from "./experiment.ts";
import { burst } from "./burst.ts";
import { clock } from "./clock.ts";
import { crashPoints } from "./crash-points.ts";
import { databaseAway } from "./database-away.ts";
import { diskFull } from "./disk-full.ts";
import { frozen } from "./frozen.ts";
import { kill } from "./kill.ts";
import { leak } from "./leak.ts";
import { ledgerTamper } from "./ledger-tamper.ts";
import { overspend } from "./overspend.ts";
import { limits } from "./limits.ts";
import { poison } from "./poison.ts";
import { providerFaults } from "./provider-faults.ts";
import { quota } from "./quota.ts";
import { simulated } from "./simulated.ts";
import { webhooks } from "./webhooks.ts";

const built: readonly Experiment[] = [
  kill,
  crashPoints,
  simulated,
  frozen,
  databaseAway,
  clock,
  diskFull,
  burst,
  poison,
  providerFaults,
  quota,
  webhooks,
  leak,
  overspend,
  ledgerTamper,
  limits,
];

/** All experiments that are built, in the order of their numbers. */
export const experiments: readonly Experiment[] = built.toSorted((a, b) => a.number - b.number);
