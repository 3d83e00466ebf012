import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { LogOut } from "lucide-react";
import { useLiveUpdates } from "../live.ts";
import { sessionQuery } from "../queries.ts";
import { useSignOut } from "../sign-out.ts";
import { IconButton } from "./button.tsx";
import { EnvironmentBand } from "./environment-band.tsx";
import { LiveIndicator } from "./live-indicator.tsx";
import { Navigation } from "./navigation.tsx";
import { SluiceMark } from "./sluice-mark.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

/** The frame around every page for those who are signed in. */
export function Shell() {
  useLiveUpdates(useQueryClient());
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[208px_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only z-20 rounded-md bg-accent px-3 py-1.5 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <Rail />
      <PhoneBar />
      <div className="flex min-w-0 flex-col pb-[calc(56px+env(safe-area-inset-bottom))] md:pb-0">
        <EnvironmentBand />
        <main id="main" tabIndex={-1} className="flex-1 outline-none">
          <Outlet />
        </main>
      </div>
      <div className="fixed inset-x-0 bottom-0 z-10 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden">
        <Navigation bar />
      </div>
    </div>
  );
}

function Home() {
  return (
    <Link to="/" className="flex items-center gap-2.5 text-lg font-semibold tracking-[-0.01em]">
      <SluiceMark size={20} />
      Sluice
    </Link>
  );
}

function Rail() {
  return (
    <aside className="sticky top-0 flex h-dvh flex-col border-r border-line max-md:hidden">
      <div className="flex h-14 items-center px-4">
        <Home />
      </div>
      <Navigation />
      <div className="mt-auto space-y-1 border-t border-line px-4 py-3">
        <div className="flex items-center justify-between">
          <LiveIndicator />
          <ThemeToggle />
        </div>
        <Account />
      </div>
    </aside>
  );
}

function Account() {
  const { data: user } = useQuery(sessionQuery);
  const signOut = useSignOut();
  if (!user) return null;
  return (
    <div className="flex items-center justify-between gap-2">
      <div className="min-w-0 leading-4" title={user.email}>
        <div className="truncate font-medium">{user.name}</div>
        <div className="truncate text-xs text-ink-3">{user.role}</div>
      </div>
      <IconButton label="Sign out" onClick={() => signOut.mutate()}>
        <LogOut size={15} strokeWidth={1.75} />
      </IconButton>
    </div>
  );
}

function PhoneBar() {
  return (
    <header className="sticky top-0 z-10 flex h-12 items-center justify-between border-b border-line bg-surface px-4 md:hidden">
      <Home />
      <div className="flex items-center gap-3">
        <LiveIndicator />
        <ThemeToggle />
      </div>
    </header>
  );
}
