import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { toProblem } from "./api.ts";
import { CrashNotice, NotFoundNotice } from "./components/error-notice.tsx";
import { Shell } from "./components/shell.tsx";
import {
  failureQuery,
  failuresQuery,
  flowQuery,
  flowsQuery,
  overviewQuery,
  runQuery,
  sessionQuery,
} from "./queries.ts";

interface RouterContext {
  readonly queryClient: QueryClient;
}

/** Text parameters of an address, each only when it is there. */
function pick<Name extends string>(search: Record<string, unknown>, names: readonly Name[]): { [N in Name]?: string } {
  const found: { [N in Name]?: string } = {};
  for (const name of names) {
    const value = search[name];
    if (typeof value === "string" && value !== "") found[name] = value;
  }
  return found;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Outlet, notFoundComponent: NotFoundNotice });

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  validateSearch: (search) => pick(search, ["token"]),
  component: lazyRouteComponent(() => import("./pages/setup.tsx"), "SetupPage"),
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/sign-in",
  validateSearch: (search) => pick(search, ["next"]),
  component: lazyRouteComponent(() => import("./pages/sign-in.tsx"), "SignInPage"),
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  async beforeLoad({ context, location }) {
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (toProblem(error).status === 401) throw redirect({ to: "/sign-in", search: { next: location.href } });
      throw error;
    }
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  loader: ({ context }) => void context.queryClient.prefetchQuery(overviewQuery),
  component: lazyRouteComponent(() => import("./pages/overview.tsx"), "OverviewPage"),
});

const flowsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/flows",
  loader: ({ context }) => void context.queryClient.prefetchQuery(flowsQuery),
  component: lazyRouteComponent(() => import("./pages/flows.tsx"), "FlowsPage"),
});

const flowRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/flows/$name",
  loader: ({ context, params }) => void context.queryClient.prefetchQuery(flowQuery(params.name)),
  component: lazyRouteComponent(() => import("./pages/flow.tsx"), "FlowPage"),
});

const runsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs",
  validateSearch: (search) => pick(search, ["flow", "status"]),
  component: lazyRouteComponent(() => import("./pages/runs.tsx"), "RunsPage"),
});

const runRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs/$id",
  loader: ({ context, params }) => void context.queryClient.prefetchQuery(runQuery(params.id)),
  component: lazyRouteComponent(() => import("./pages/run.tsx"), "RunPage"),
});

const failuresRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/failures",
  loader: ({ context }) => void context.queryClient.prefetchQuery(failuresQuery),
  component: lazyRouteComponent(() => import("./pages/failures.tsx"), "FailuresPage"),
});

const failureRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/failures/$fingerprint",
  loader: ({ context, params }) => void context.queryClient.prefetchQuery(failureQuery(params.fingerprint)),
  component: lazyRouteComponent(() => import("./pages/failure.tsx"), "FailurePage"),
});

const modelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/models",
  component: lazyRouteComponent(() => import("./pages/models.tsx"), "ModelsPage"),
});

const costsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/costs",
  validateSearch: (search) => pick(search, ["by", "period"]),
  component: lazyRouteComponent(() => import("./pages/costs.tsx"), "CostsPage"),
});

const ledgerRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/ledger",
  validateSearch: (search) => pick(search, ["run", "kind"]),
  component: lazyRouteComponent(() => import("./pages/ledger.tsx"), "LedgerPage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings.tsx"), "SettingsPage"),
});

const routeTree = rootRoute.addChildren([
  setupRoute,
  signInRoute,
  shellRoute.addChildren([
    overviewRoute,
    flowsRoute,
    flowRoute,
    runsRoute,
    runRoute,
    failuresRoute,
    failureRoute,
    modelsRoute,
    costsRoute,
    ledgerRoute,
    settingsRoute,
  ]),
]);

/** Parameters stay text: a token or an id that looks like a number must not become one. */
function stringifySearch(search: Record<string, unknown>): string {
  const texts = Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return texts.length === 0 ? "" : `?${new URLSearchParams(texts).toString().replaceAll("%2C", ",")}`;
}

/** The pages and their addresses. */
export function createAppRouter(queryClient: QueryClient) {
  return createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch,
    defaultErrorComponent: CrashNotice,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
