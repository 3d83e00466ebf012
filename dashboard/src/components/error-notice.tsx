import { Link } from "@tanstack/react-router";
import { StatusIcon } from "./status.tsx";
import { Button, buttonClass } from "./button.tsx";
import { EmptyState } from "./panel.tsx";
import { toProblem } from "../api.ts";
import { toSentence } from "../format.ts";

interface ErrorNoticeProps {
  readonly error: unknown;
  readonly retry?: () => void;
}

/** What went wrong and what to do about it, with its code for those who ask for help. */
export function ErrorNotice({ error, retry }: ErrorNoticeProps) {
  const problem = toProblem(error);
  return (
    <div role="alert" className="flex items-start gap-2.5 rounded-md bg-fail-soft px-3 py-2.5 text-left">
      <span className="pt-[3px]">
        <StatusIcon status="failed" />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">{toSentence(problem.message)}</p>
        {problem.issues.length > 0 && (
          <ul className="mt-1 space-y-0.5">
            {problem.issues.map((issue) => (
              <li key={`${issue.path} ${issue.message}`}>
                <code className="text-xs font-medium">{issue.path || "(whole)"}</code> {issue.message}
              </li>
            ))}
          </ul>
        )}
        {problem.hint !== undefined && <p className="mt-0.5 break-words text-ink-2">{problem.hint}</p>}
        <p className="mt-0.5 font-mono text-xs text-ink-3">{problem.code}</p>
      </div>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** For a page whose code failed. */
export function CrashNotice({ error }: { readonly error: unknown }) {
  return (
    <div className="mx-auto max-w-xl p-6">
      <ErrorNotice error={error} retry={() => location.reload()} />
    </div>
  );
}

export function NotFoundNotice() {
  return (
    <EmptyState title="There is no page at this address.">
      <Link to="/" className={buttonClass()}>
        Go to the overview
      </Link>
    </EmptyState>
  );
}
