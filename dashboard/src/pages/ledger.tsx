import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Download, Eraser, ShieldCheck } from "lucide-react";
import { useState } from "react";
import type { ErasureView } from "../api.ts";
import { Button, buttonClass } from "../components/button.tsx";
import { EraseDialog } from "../components/erase-dialog.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { LedgerEntries } from "../components/ledger-entries.tsx";
import { LedgerSearch } from "../components/ledger-search.tsx";
import { LedgerVerdict } from "../components/ledger-verdict.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { StatusIcon } from "../components/status.tsx";
import { formatCount, plural } from "../format.ts";
import { gatewayApi, ledgerExportPath, type LedgerFilter } from "../gateway-api.ts";
import { ledgerQuery } from "../gateway-queries.ts";
import { useMay } from "../queries.ts";

const route = getRouteApi("/shell/ledger");

const lead =
  "What was sent to models, what came back, and what people decided: digests and facts, without the content. Each entry carries the hash of the one before, so that a change, a gap or another order shows when the chain is verified.";

export function LedgerPage() {
  const may = useMay("audit");
  const verify = useMutation({ mutationFn: gatewayApi.verifyLedger });
  return (
    <Page
      title="Ledger"
      lead={lead}
      actions={may && <Actions isVerifying={verify.isPending} onVerify={() => verify.mutate()} />}
    >
      {verify.error && <ErrorNotice error={verify.error} />}
      {verify.data && <LedgerVerdict verdict={verify.data} />}
      {may ? (
        <Ledger />
      ) : (
        <Panel>
          <EmptyState title="Auditors and administrators read the ledger.">
            It tells of all runs and people at once. What one run sent stands on its own page.
          </EmptyState>
        </Panel>
      )}
    </Page>
  );
}

interface ActionsProps {
  readonly isVerifying: boolean;
  readonly onVerify: () => void;
}

function Actions({ isVerifying, onVerify }: ActionsProps) {
  return (
    <>
      <a href={ledgerExportPath} download="ledger.ndjson" className={buttonClass()} data-testid="export-ledger">
        <Download size={14} />
        Export
      </a>
      <Button data-testid="verify-ledger" busy={isVerifying} onClick={onVerify}>
        <ShieldCheck size={14} />
        Verify
      </Button>
    </>
  );
}

function Ledger() {
  const { run, kind } = route.useSearch();
  // Not in the address: that stays in histories and logs, and a subject is personal.
  const [subject, setSubject] = useState<string | undefined>();
  const [erased, setErased] = useState<ErasureView | null>(null);
  const filter = { subject, run, kind };
  return (
    <>
      {erased && <Erased {...erased} />}
      <LedgerSearch
        key={`${run} ${kind}`}
        filter={filter}
        onSubject={(wanted) => {
          setErased(null);
          setSubject(wanted);
        }}
      />
      <Entries filter={filter} onErased={setErased} />
    </>
  );
}

function Erased({ runs, calls, entry }: ErasureView) {
  return (
    <p role="status" data-testid="erased" className="flex items-center gap-2.5 rounded-lg bg-ok-soft px-4 py-3">
      <StatusIcon status="succeeded" />
      The content of {plural(runs, "run")} with {plural(calls, "AI call")} is destroyed. Entry {formatCount(entry)} of
      the ledger says so.
    </p>
  );
}

interface EntriesProps {
  readonly filter: LedgerFilter;
  readonly onErased: (erasure: ErasureView) => void;
}

function Entries({ filter, onErased }: EntriesProps) {
  const query = useInfiniteQuery(ledgerQuery(filter));
  const entries = query.data?.pages.flatMap((page) => page.items);
  const filtered = Object.values(filter).some((value) => value !== undefined);
  return (
    <>
      {query.error && <ErrorNotice error={query.error} retry={() => void query.refetch()} />}
      <Panel
        title={filter.subject === undefined ? "Entries" : <span className="break-all">About {filter.subject}</span>}
        aside={
          filter.subject !== undefined &&
          entries &&
          entries.length > 0 && <Erase subject={filter.subject} onErased={onErased} />
        }
      >
        {query.isPending && <SkeletonRows rows={10} />}
        {entries && entries.length > 0 && <LedgerEntries entries={entries} />}
        {entries?.length === 0 && (
          <EmptyState title={filtered ? "No entry like this." : "Nothing is recorded yet."}>
            {filter.subject === undefined
              ? "Every AI call leaves two entries: before it is sent, and when it has come back."
              : "Try another of their identifiers: an e-mail address, a phone number, or the name as it stood in the event."}
          </EmptyState>
        )}
      </Panel>
      {query.hasNextPage && (
        <div className="flex justify-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Load older
          </Button>
        </div>
      )}
    </>
  );
}

function Erase({ subject, onErased }: { readonly subject: string; readonly onErased: EntriesProps["onErased"] }) {
  const [open, setOpen] = useState(false);
  const may = useMay("erase");
  return (
    <>
      <Button
        look="danger"
        data-testid="erase"
        disabled={!may}
        title={may ? undefined : "Administrators erase people."}
        onClick={() => setOpen(true)}
      >
        <Eraser size={14} />
        Erase …
      </Button>
      {open && (
        <EraseDialog
          subject={subject}
          onClose={() => setOpen(false)}
          onErased={(erasure) => {
            setOpen(false);
            onErased(erasure);
          }}
        />
      )}
    </>
  );
}
