import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";
import type { Json } from "../api.ts";
import { formatExact, formatSince } from "../format.ts";
import { gatewayApi } from "../gateway-api.ts";
import { ErrorNotice } from "./error-notice.tsx";
import { StatusIcon } from "./status.tsx";
import { useNow } from "./time.tsx";

interface QuestionFrameProps {
  readonly title: string;
  /** Since when the run waits for the answer. */
  readonly since: string;
  /** Why it asks, as the first sentence. */
  readonly why: string;
  /** What is known; stands at the left. */
  readonly known: ReactNode;
  readonly children: ReactNode;
}

/** A question of a waiting run: why it asks, what is known, and how to answer. */
export function QuestionFrame({ title, since, why, known, children }: QuestionFrameProps) {
  const now = useNow();
  const id = useId();
  return (
    <section
      data-testid="question"
      aria-labelledby={id}
      className="overflow-hidden rounded-lg border-2 border-wait bg-surface"
    >
      <header className="flex items-start gap-3 border-b border-line bg-wait-soft px-4 py-3">
        <span className="pt-0.5">
          <StatusIcon status="waiting" size={20} />
        </span>
        <div className="min-w-0">
          <h2 id={id} className="text-lg font-semibold break-words">
            {title}
          </h2>
          <p>
            {why} The run waits for a person since <span title={formatExact(since)}>{formatSince(since, now)}</span>,
            and nothing is held meanwhile.
          </p>
        </div>
      </header>
      <div className="grid lg:grid-cols-2 lg:divide-x lg:divide-line">
        <div className="min-w-0 space-y-3 px-4 py-3 max-lg:border-b max-lg:border-line">{known}</div>
        <div className="min-w-0 px-4 py-3">{children}</div>
      </div>
    </section>
  );
}

/** Gives a waiting run the value that it asks for. The first value stands. */
export function useAnswer(runId: string, signal: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (value: Json) => gatewayApi.signal(runId, signal, value),
    // Also after a refusal: somebody else may have answered meanwhile.
    onSettled: () =>
      Promise.all(["run", "questions", "overview"].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
}

/** What became of an answer that did not simply let the run go on. */
export function AnswerOutcome({ answer }: { readonly answer: Pick<ReturnType<typeof useAnswer>, "data" | "error"> }) {
  if (answer.error) return <ErrorNotice error={answer.error} />;
  if (!answer.data) return null;
  return (
    <p role="status" className="text-ink-2">
      {answer.data.accepted ? "Given; the run goes on." : "Somebody else answered before; theirs stands."}
    </p>
  );
}
