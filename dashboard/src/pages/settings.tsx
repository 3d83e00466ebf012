import { useQuery } from "@tanstack/react-query";
import type { StatusView } from "../api.ts";
import { ApiKeys } from "../components/api-keys.tsx";
import { Button } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Facts } from "../components/facts.tsx";
import { Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { RelativeTime } from "../components/time.tsx";
import { formatCount } from "../format.ts";
import { sessionQuery, statusQuery } from "../queries.ts";
import { useSignOut } from "../sign-out.ts";

export function SettingsPage() {
  const { data: status, error, refetch } = useQuery(statusQuery);
  return (
    <Page title="Settings">
      <ApiKeys />
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!status && !error && (
        <Panel title="Status">
          <SkeletonRows rows={4} />
        </Panel>
      )}
      {status && <Status status={status} />}
      <Account />
    </Page>
  );
}

function Status({ status }: { readonly status: StatusView }) {
  return (
    <Panel title="Status">
      <Facts
        className="!grid-cols-[repeat(auto-fill,minmax(184px,1fr))] px-4 py-3"
        facts={[
          { name: "Version", value: <code className="text-xs">{status.version}</code> },
          { name: "Started", value: <RelativeTime at={status.startedAt} /> },
          {
            name: "Database",
            value: `Postgres ${status.database.version}, ${status.database.kind === "embedded" ? "embedded" : "your own"}`,
          },
          { name: "Outside systems", value: status.sandbox ? "the sandbox’s stand-ins" : "real" },
          { name: "Runs in the queue", value: formatCount(status.queuedRuns) },
        ]}
      />
    </Panel>
  );
}

function Account() {
  const { data: user } = useQuery(sessionQuery);
  const signOut = useSignOut();
  if (!user) return null;
  return (
    <Panel title="You">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
        <div>
          <div className="font-medium">{user.name}</div>
          <div className="text-ink-2">
            {user.email}, {user.role}
          </div>
        </div>
        <Button busy={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </Button>
      </div>
    </Panel>
  );
}
