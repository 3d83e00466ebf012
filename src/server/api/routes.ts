import { changeRoutes } from "./change-routes.ts";
import { failureRoutes } from "./failure-routes.ts";
import { flowRoutes } from "./flow-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { overviewRoutes } from "./overview-routes.ts";
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
  ...changeRoutes,
  ...keyRoutes,
];
