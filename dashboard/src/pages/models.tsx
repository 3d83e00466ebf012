import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Activity } from "lucide-react";
import { useState } from "react";
import type { ModelStatusView, ModelTestView } from "../api.ts";
import { SimulatedBadge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { ErrorNotice } from "../components/error-notice.tsx";
import { ModelCandidate } from "../components/model-candidate.tsx";
import { ModelTest } from "../components/model-test.tsx";
import { EmptyState, Page, Panel, SkeletonRows } from "../components/panel.tsx";
import { toSentence } from "../format.ts";
import { gatewayApi } from "../gateway-api.ts";
import { modelsQuery } from "../gateway-queries.ts";
import { useMay } from "../queries.ts";

export function ModelsPage() {
  const { data: models, error, refetch } = useQuery(modelsQuery);
  const tests = useTests();
  return (
    <Page
      title="Models"
      lead="What each name in the configuration stands for, in the order in which they are asked, and how much room their limits have."
      actions={models && models.length > 1 && <TestButton tests={tests} label="Test all" />}
    >
      {error && <ErrorNotice error={error} retry={() => void refetch()} />}
      {tests.error !== null && <ErrorNotice error={tests.error} />}
      {!models && !error && (
        <Panel>
          <SkeletonRows rows={8} />
        </Panel>
      )}
      {models?.map((model, index) => (
        <Model key={model.name} model={model} twin={twinOf(model, models.slice(0, index))} tests={tests} />
      ))}
      {models?.length === 0 && (
        <Panel>
          <EmptyState title="No model is configured.">Name one under “models” in sluice.config.ts.</EmptyState>
        </Panel>
      )}
    </Page>
  );
}

/** Tests that were made since the page was opened, and the one under way. */
interface Tests {
  readonly results: readonly ModelTestView[];
  readonly error: unknown;
  readonly isUnderWay: (name: string | undefined) => boolean;
  readonly start: (name: string | undefined) => void;
}

function useTests(): Tests {
  const client = useQueryClient();
  const [results, setResults] = useState<readonly ModelTestView[]>([]);
  const test = useMutation({
    mutationFn: (name: string | undefined) => gatewayApi.testModels(name),
    onSuccess(fresh) {
      const names = new Set(fresh.map(({ name }) => name));
      setResults((before) => [...before.filter(({ name }) => !names.has(name)), ...fresh]);
    },
    // Limits may have been learned from the answers.
    onSettled: () => void client.invalidateQueries({ queryKey: modelsQuery.queryKey }),
  });
  return {
    results,
    error: test.error,
    isUnderWay: (name) => test.isPending && (test.variables === undefined || test.variables === name),
    start: (name) => test.mutate(name),
  };
}

interface TestButtonProps {
  readonly tests: Tests;
  readonly label: string;
  /** Default: all models. */
  readonly name?: string;
}

function TestButton({ tests, label, name }: TestButtonProps) {
  const may = useMay("act");
  return (
    <Button
      data-testid={name === undefined ? "test-models" : "test-model"}
      disabled={!may}
      busy={tests.isUnderWay(name)}
      title="Sends one short question to each, which costs a fraction of a cent"
      onClick={() => tests.start(name)}
    >
      <Activity size={14} />
      {label}
    </Button>
  );
}

const identity = ({ candidates }: ModelStatusView): string =>
  JSON.stringify(candidates.map(({ provider, model, region, bucket }) => [provider, model, region, bucket]));

/** The name before it that stands for the same models; null when none does. */
const twinOf = (model: ModelStatusView, earlier: readonly ModelStatusView[]): string | null =>
  earlier.find((other) => identity(other) === identity(model))?.name ?? null;

interface ModelProps {
  readonly model: ModelStatusView;
  readonly twin: string | null;
  readonly tests: Tests;
}

function Model({ model, twin, tests }: ModelProps) {
  const { name, candidates } = model;
  const results = tests.results.filter((test) => test.name === name);
  return (
    <Panel
      title={
        <span className="flex min-w-0 flex-wrap items-center gap-x-2.5" data-testid="model" data-model={name}>
          <span className="font-mono text-sm">{name}</span>
          {model.simulated && <SimulatedBadge />}
          <span className="font-normal text-ink-2">{toSentence(model.reason)}</span>
        </span>
      }
      aside={twin === null && <TestButton tests={tests} name={name} label="Test" />}
    >
      {twin !== null && (
        <p className="px-4 py-3 text-ink-2">
          The same models as <span className="font-mono text-xs text-ink">{twin}</span>, with the same limits.
        </p>
      )}
      <ol className="divide-y divide-line">
        {(twin === null ? candidates : []).map((candidate, index) => {
          const test = results.find((one) => one.provider === candidate.provider && one.model === candidate.model);
          return (
            <li key={`${candidate.provider} ${candidate.model} ${candidate.region}`} className="flex gap-3 px-4 py-3">
              {candidates.length > 1 && <Place index={index} />}
              <div className="min-w-0 flex-1 space-y-2.5">
                <ModelCandidate candidate={candidate} />
                {test && <ModelTest test={test} />}
              </div>
            </li>
          );
        })}
      </ol>
    </Panel>
  );
}

/** Which of several models it is, in the order in which they are asked. */
function Place({ index }: { readonly index: number }) {
  return (
    <span
      title={index === 0 ? "Asked first" : "Asked when those before cannot answer"}
      className="mt-px flex size-[18px] shrink-0 items-center justify-center rounded-full border border-line-strong text-xs text-ink-2 tabular-nums"
    >
      {index + 1}
    </span>
  );
}
