import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useState } from "react";
import { api, type FlowDetailView, type Json } from "../api.ts";
import { parseJson } from "../json-text.ts";
import { useMay } from "../queries.ts";
import { Button } from "./button.tsx";
import { ErrorNotice } from "./error-notice.tsx";
import { Select } from "./field.tsx";
import { EmptyState, Panel } from "./panel.tsx";

const pretty = (payload: Json | undefined): string => JSON.stringify(payload ?? {}, null, 2);

/** Chooses a sample, lets it be edited, and starts a run with it. */
export function SampleSender({ flow }: { readonly flow: FlowDetailView }) {
  const [first] = flow.samples;
  const [name, setName] = useState(first?.name ?? "");
  const sample = flow.samples.find((candidate) => candidate.name === name) ?? first;
  const may = useMay("act");
  if (!sample) {
    return (
      <Panel title="Send a sample">
        <EmptyState title="This flow has no sample.">
          Add one to the trigger in the flow’s code, and try it from here.
        </EmptyState>
      </Panel>
    );
  }
  return (
    <Panel
      title="Send a sample"
      aside={
        <Select label="Sample" value={sample.name} onChange={(event) => setName(event.currentTarget.value)}>
          {flow.samples.map((candidate) => (
            <option key={candidate.name}>{candidate.name}</option>
          ))}
        </Select>
      }
    >
      <SampleForm key={sample.name} flow={flow.name} sample={sample} may={may} />
    </Panel>
  );
}

interface SampleFormProps {
  readonly flow: string;
  readonly sample: FlowDetailView["samples"][number];
  readonly may: boolean;
}

function SampleForm({ flow, sample, may }: SampleFormProps) {
  const original = pretty(sample.payload);
  const [draft, setDraft] = useState<string | null>(null);
  const text = draft ?? original;
  const parsed = parseJson(text);
  const client = useQueryClient();
  const navigate = useNavigate();
  const send = useMutation({
    mutationFn: (payload: Json) => api.sendSample(flow, sample.name, payload),
    onSuccess: ({ runId }) => navigate({ to: "/runs/$id", params: { id: runId } }),
  });
  const save = useMutation({
    mutationFn: (payload: Json) => api.saveSample(flow, sample.name, payload),
    async onSuccess() {
      await client.invalidateQueries({ queryKey: ["flow", flow] });
      setDraft(null);
    },
  });
  const edited = text !== original;
  const mistaken = "mistake" in parsed;
  const withPayload = (run: (payload: Json) => void) => () => "value" in parsed && run(parsed.value);
  return (
    <div className="space-y-3 p-4">
      <textarea
        aria-label="Payload, as JSON"
        aria-invalid={mistaken}
        spellCheck={false}
        rows={8}
        value={text}
        onChange={(event) => setDraft(event.currentTarget.value)}
        className="field-sizing-content block max-h-96 min-h-28 w-full resize-y rounded-md border border-line-input bg-sunken px-3 py-2 text-xs/[18px] aria-invalid:border-fail"
      />
      {mistaken && <p className="text-fail">Not valid JSON: {parsed.mistake}</p>}
      {send.error && <ErrorNotice error={send.error} />}
      {save.error && <ErrorNotice error={save.error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="primary"
          data-testid="send-sample"
          disabled={mistaken || !may}
          busy={send.isPending}
          onClick={withPayload(send.mutate)}
        >
          <Play size={14} />
          Send a sample
        </Button>
        {edited && (
          <>
            <Button disabled={mistaken || !may} busy={save.isPending} onClick={withPayload(save.mutate)}>
              Save as “{sample.name}”
            </Button>
            <Button look="quiet" onClick={() => setDraft(null)}>
              Undo the changes
            </Button>
          </>
        )}
        <span className="text-xs text-ink-2">
          {may ? "Starts a real run, marked as a sample." : "Your role may look, but not start runs."}
        </span>
      </div>
    </div>
  );
}
