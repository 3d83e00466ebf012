import { setTimeout } from "node:timers/promises";
import { defineConfig, flow, webhook, z } from "sluice";

const unsigned = { allowUnsigned: true } as const;

/** Whatever JSON there is. A schema that looks at every value would be measured as well, and is the flow's own. */
const anything = z.unknown();

/** Gives back what it was given, so that it can be compared. */
const takeAnything = flow({
  name: "take-anything",
  trigger: webhook({ path: "anything", payload: anything, verify: unsigned }),
  // A payload that reached the prototype of all objects would show here.
  run: async (payload) => ({ payload, polluted: Reflect.get({}, "polluted") ?? null }),
});

/** Waits long enough that the processes of its neighbours are dead again and again. */
const neighbour = flow({
  name: "neighbour",
  trigger: webhook({ path: "neighbour", payload: z.object({ id: z.string() }), verify: unsigned }),
  async run({ id }, { step, sleep }) {
    for (let lap = 1; lap <= 4; lap += 1) {
      await step(`lap ${lap}`, async () => ({ id, lap }));
      await sleep(`rest ${lap}`, "1s");
    }
    return { id };
  },
});

/** Ends the process that executes it, whenever it is executed. */
const poison = flow({
  name: "poison",
  trigger: webhook({ path: "poison", payload: z.object({ id: z.string() }), verify: unsigned }),
  async run({ id }, { step }) {
    await step("drink", async () => {
      await setTimeout(300);
      process.kill(process.pid, "SIGKILL");
      await setTimeout(60_000);
    });
    return { id };
  },
});

export default defineConfig({ flows: [takeAnything, neighbour, poison] });
