import { defineConfig } from "sluice";
import { crm, slack } from "./connections.ts";
import { leadRouting } from "./lead-routing/flow.ts";

export default defineConfig({
  flows: [leadRouting],
  connections: [slack, crm],
});
