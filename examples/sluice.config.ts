import { defineConfig } from "sluice";
import { leadRouting } from "./lead-routing/flow.ts";

export default defineConfig({
  flows: [leadRouting],
});
