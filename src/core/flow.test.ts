import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow } from "./flow.ts";
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

  it.each(["", "Leads", "9-lives", "-a", "a_b", "a b", "ä", `a${"b".repeat(63)}`])("refuses the name %j", (name) => {
    expect(() => flow({ name, trigger, run: async () => null })).toThrow(
      expect.objectContaining({ code: "FLOW_INVALID" }),
    );
  });
});
