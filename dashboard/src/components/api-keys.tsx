import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, type ApiKeyView } from "../api.ts";
import { keysQuery, useMay } from "../queries.ts";
import { Badge } from "./badge.tsx";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { CreateKeyDialog } from "./create-key-dialog.tsx";
import { EmptyState, Panel, SkeletonRows } from "./panel.tsx";
import { RelativeTime } from "./time.tsx";

/** The keys with which programs use the API. */
export function ApiKeys() {
  const may = useMay("keys");
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKeyView | null>(null);
  const { data: keys, error, refetch } = useQuery({ ...keysQuery, enabled: may });
  if (!may) {
    return (
      <Panel title="API keys">
        <p className="px-4 py-3 text-ink-2">Administrators make and revoke the keys with which programs use the API.</p>
      </Panel>
    );
  }
  return (
    <Panel
      title="API keys"
      aside={
        <Button onClick={() => setCreating(true)} data-testid="create-key">
          <Plus size={14} />
          New key
        </Button>
      }
    >
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {!keys && !error && <SkeletonRows rows={3} />}
      {keys && keys.length > 0 && <KeyTable keys={keys} onRevoke={setRevoking} />}
      {keys?.length === 0 && (
        <EmptyState title="There is no key yet.">Make one for each program that starts runs or reads them.</EmptyState>
      )}
      {creating && <CreateKeyDialog onClose={() => setCreating(false)} />}
      {revoking && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </Panel>
  );
}

interface KeyTableProps {
  readonly keys: readonly ApiKeyView[];
  readonly onRevoke: (key: ApiKeyView) => void;
}

function KeyTable({ keys, onRevoke }: KeyTableProps) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full whitespace-nowrap">
        <thead>
          <tr className="h-8 border-b border-line text-left text-xs text-ink-3">
            <th className="pl-4 font-medium">Name</th>
            <th className="px-3 font-medium">Role</th>
            <th className="px-3 text-right font-medium max-sm:hidden">Made</th>
            <th className="px-3 text-right font-medium">Last used</th>
            <th className="pr-4 pl-3">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {keys.map((key) => (
            <tr key={key.id} className="h-10">
              <td className={key.revokedAt ? "pl-4 text-ink-3 line-through" : "pl-4 font-medium"}>{key.name}</td>
              <td className="px-3 text-ink-2">{key.role}</td>
              <td className="px-3 text-right text-ink-2 max-sm:hidden">
                <RelativeTime at={key.createdAt} />
              </td>
              <td className="px-3 text-right text-ink-2">
                {key.lastUsedAt ? <RelativeTime at={key.lastUsedAt} /> : "never"}
              </td>
              <td className="w-24 pr-2 text-right">
                {key.revokedAt ? (
                  <span className="pr-2">
                    <Badge>revoked</Badge>
                  </span>
                ) : (
                  <Button look="quiet" className="!h-7" onClick={() => onRevoke(key)}>
                    Revoke
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKeyView; readonly onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => api.revokeKey(apiKey.id),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: keysQuery.queryKey });
      onClose();
    },
  });
  return (
    <Dialog
      title={`Revoke “${apiKey.name}”`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke
          </Button>
        </>
      }
    >
      <div className="space-y-3">
        <p>
          Programs that use this key are refused from now on. This cannot be undone; a new key can be made at any time.
        </p>
        {revoke.error && <ErrorNotice error={revoke.error} />}
      </div>
    </Dialog>
  );
}
