import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useState } from "react";
import type { LedgerFilter } from "../gateway-api.ts";
import { ledgerKinds } from "../ledger-words.ts";
import { Button } from "./button.tsx";
import { Field, Select } from "./field.tsx";

interface LedgerSearchProps {
  readonly filter: LedgerFilter;
  readonly onSubject: (subject: string | undefined) => void;
}

/** Which entries to list. Run and kind go into the address; the subject is given to `onSubject` only. */
export function LedgerSearch({ filter, onSubject }: LedgerSearchProps) {
  const navigate = useNavigate();
  const [subject, setSubject] = useState(filter.subject ?? "");
  const [run, setRun] = useState(filter.run ?? "");
  const search = (kind: string | undefined) => {
    onSubject(subject.trim() || undefined);
    void navigate({ to: "/ledger", search: { ...(run.trim() && { run: run.trim() }), ...(kind && { kind }) } });
  };
  return (
    <form
      role="search"
      className="grid items-start gap-3 rounded-lg border border-line bg-surface px-4 py-3 sm:grid-cols-2 lg:grid-cols-[minmax(0,3fr)_minmax(0,3fr)_minmax(0,2fr)_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        search(filter.kind);
      }}
    >
      <Field
        label="About whom"
        name="subject"
        autoComplete="off"
        spellCheck={false}
        placeholder="jane@company.com, +44 20 …, a name"
        value={subject}
        onChange={(event) => setSubject(event.currentTarget.value)}
        note="Found by a keyed digest; not kept in the address."
      />
      <Field
        label="Run"
        name="run"
        autoComplete="off"
        spellCheck={false}
        placeholder="run_…"
        value={run}
        onChange={(event) => setRun(event.currentTarget.value)}
      />
      <div>
        <div className="mb-1 font-medium">Kind</div>
        <Select
          label="Kind"
          className="h-9 w-full"
          value={filter.kind ?? ""}
          onChange={(event) => search(event.currentTarget.value || undefined)}
        >
          <option value="">All kinds</option>
          {Object.entries(ledgerKinds).map(([kind, words]) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </Select>
      </div>
      <Button type="submit" look="primary" className="h-9 lg:mt-[23.25px]">
        <Search size={14} />
        Search
      </Button>
    </form>
  );
}
