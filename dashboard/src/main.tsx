import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { toProblem } from "./api.ts";
import { createAppRouter } from "./router.tsx";
// oxlint-disable-next-line import/no-unassigned-import -- the bundler makes a file of its own of it
import "./styles.css";

const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      if (toProblem(error).status === 401 && !location.pathname.startsWith("/sign-in")) {
        void router.navigate({ to: "/sign-in", search: { next: location.pathname + location.search } });
      }
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry(failures, error) {
        const { status } = toProblem(error);
        return (status === 0 || status >= 500) && failures < 2;
      },
    },
  },
});

const router = createAppRouter(queryClient);

/** A page that was opened before an upgrade asks for files that are gone: it is loaded anew, but not over and over. */
const reloadAgainMs = 30_000;
window.addEventListener("vite:preloadError", () => {
  const lastAt = Number(sessionStorage.getItem("sluice.reloadedAt"));
  if (Date.now() - lastAt < reloadAgainMs) return;
  sessionStorage.setItem("sluice.reloadedAt", String(Date.now()));
  location.reload();
});

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
