import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow, type FlowContext } from "./flow.ts";
import { type RunScope, withRunScope } from "./run-scope.ts";
import { secret, type WebhookTrigger } from "./trigger.ts";

const trigger: WebhookTrigger<{ text: string }> = {
  kind: "webhook",
  path: "echo",
  payload: z.object({ text: z.string() }),
  verify: { scheme: "standard-webhooks", secrets: [secret("ECHO_SECRET")] },
  samples: {},
};

describe("flow", () => {
  it("has a version that changes with its code, and only with it", () => {
    const one = flow({ name: "echo", trigger, run: async ({ text }) => text });
    const renamed = flow({ name: "echo-2", description: "Says it again.", trigger, run: async ({ text }) => text });
    const changed = flow({ name: "echo", trigger, run: async ({ text }) => text.length });
    expect(one.version).toMatch(/^[0-9a-f]{12}$/);
    expect(renamed.version).toBe(one.version);
    expect(changed.version).not.toBe(one.version);
  });

  it("saves nothing and describes nothing unless it says so", () => {
    expect(flow({ name: "a", trigger, run: async () => null })).toMatchObject({ description: "", minutesSaved: 0 });
    expect(flow({ name: "a", minutesSaved: 10, trigger, run: async () => null }).minutesSaved).toBe(10);
  });

  it("is of standard priority and without limits unless it says so", () => {
    const plain = flow({ name: "a", trigger, run: async () => null });
    expect([plain.priority, plain.concurrency, plain.rate]).toEqual(["standard", undefined, undefined]);
    const limits = { priority: "batch", concurrency: { limit: 2 }, rate: { limit: 10, per: "1m" } } as const;
    expect(flow({ name: "a", trigger, ...limits, run: async () => null })).toMatchObject(limits);
  });

  it.each([
    [{ concurrency: { limit: 0 } }, "concurrency.limit of flow a is 0, expected a whole number of at least 1"],
    [{ concurrency: { limit: 1.5 } }, "concurrency.limit of flow a is 1.5"],
    [{ rate: { limit: Number.NaN, per: "1s" } }, "rate.limit of flow a is NaN"],
    [{ rate: { limit: 1, per: "soon" } }, "soon"],
  ] as const)("refuses the limit %j", (limits, message) => {
    const declare = () => flow({ name: "a", trigger, ...(limits as object), run: async () => null });
    expect(declare).toThrow(message);
    expect(declare).toThrow(expect.objectContaining({ code: expect.stringMatching(/_INVALID$/) as unknown }));
  });

  it("executes the function that was declared, on the declaration", async () => {
    const declared = {
      name: "echo",
      trigger,
      suffix: "!",
      async run(this: { suffix: string }, { text }: { text: string }) {
        return text + this.suffix;
      },
    };
    expect(await flow(declared).execute({ text: "hi" }, {} as FlowContext)).toBe("hi!");
  });

  it("is run and started by other flows as a sub-flow of theirs, and nowhere else", async () => {
    const echo = flow({ name: "echo", trigger, run: async ({ text }) => text });
    const asked: unknown[] = [];
    const scope = {
      async subflow(name: string, payload: unknown, options: unknown) {
        asked.push([name, payload, options]);
        return asked.length === 1 ? "hi" : { runId: "run_2" };
      },
    } as unknown as RunScope;
    await withRunScope(scope, async () => {
      expect(await echo.run({ text: "hi" })).toBe("hi");
      expect(await echo.start({ text: "ho" })).toEqual({ runId: "run_2" });
    });
    expect(asked).toEqual([
      ["echo", { text: "hi" }, { wait: true }],
      ["echo", { text: "ho" }, { wait: false }],
    ]);
    const outside = { code: "OUTSIDE_RUN", message: "flow echo was called outside a run" };
    await expect(echo.run({ text: "hi" })).rejects.toMatchObject(outside);
    await expect(echo.start({ text: "hi" })).rejects.toMatchObject(outside);
  });

  it.each(["", "Leads", "9-lives", "-a", "a_b", "a b", "ä", `a${"b".repeat(63)}`])("refuses the name %j", (name) => {
    expect(() => flow({ name, trigger, run: async () => null })).toThrow(
      expect.objectContaining({ code: "FLOW_INVALID" }),
    );
  });
});
