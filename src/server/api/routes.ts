import { changeRoutes } from "./change-routes.ts";
import { costRoutes } from "./cost-routes.ts";
import { failureRoutes } from "./failure-routes.ts";
import { flowRoutes } from "./flow-routes.ts";
import { gatewayRoutes } from "./gateway-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { ledgerRoutes } from "./ledger-routes.ts";
import { overviewRoutes } from "./overview-routes.ts";
import { questionRoutes } from "./question-routes.ts";
import { queueRoutes } from "./queue-routes.ts";
import type { Route } from "./route.ts";
import { runRoutes } from "./run-routes.ts";
import { sessionRoutes } from "./session-routes.ts";

/** The route table of the API. */
export const routes: readonly Route[] = [
  ...sessionRoutes,
  ...overviewRoutes,
  ...flowRoutes,
  ...runRoutes,
  ...failureRoutes,
  ...queueRoutes,
  ...questionRoutes,
  ...gatewayRoutes,
  ...costRoutes,
  ...ledgerRoutes,
  ...changeRoutes,
  ...keyRoutes,
];
