import { useQuery } from "@tanstack/react-query";
import type { StatusView } from "../api.ts";
import { ApiKeys } from "../components/api-keys.tsx";
import { SimulatedBadge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { Facts } from "../components/facts.tsx";
import { Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { RelativeTime } from "../components/time.tsx";
import { formatCount, toSentence } from "../format.ts";
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
      {status && <Models models={status.models} />}
      {status && <Status status={status} />}
      <Account />
    </Page>
  );
}

function Models({ models }: { readonly models: StatusView["models"] }) {
  return (
    <Panel title="Models">
      <div className="overflow-x-auto">
        <table className="w-full">
          <thead>
            <tr className="h-8 border-b border-line text-left text-xs text-ink-3">
              <th className="pl-4 font-medium">Name</th>
              <th className="px-3 font-medium">Model</th>
              <th className="pr-4 pl-3 font-medium max-sm:hidden">Why this one</th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {models.map((model) => (
              <tr key={model.name} className="h-8">
                <td className="py-1.5 pl-4 align-top font-medium">{model.name}</td>
                <td className="px-3 py-1.5">
                  <span className="flex flex-wrap items-center gap-x-2">
                    <span className="text-ink-2">{model.provider}</span>
                    <code className="text-xs">{model.model}</code>
                    {model.simulated && <SimulatedBadge />}
                  </span>
                  <p className="text-ink-2 sm:hidden">{toSentence(model.reason)}</p>
                </td>
                <td className="min-w-48 py-1.5 max-sm:hidden pr-4 pl-3 text-ink-2">{toSentence(model.reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
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
