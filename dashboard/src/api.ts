import type { Json } from "../../src/core/json.ts";
import type {
  ApiKeyView,
  FailureDetailView,
  FailureGroupView,
  FlowDetailView,
  FlowView,
  OverviewView,
  Problem as ProblemBody,
  QuestionPage,
  QueueView,
  ResumedView,
  RulingView,
  RunDetailView,
  RunPage,
  RunView,
  StatusView,
  UserView,
} from "../../src/server/api/schemas.ts";

export type { Json } from "../../src/core/json.ts";
export type {
  AiCallView,
  AnswerQuestionView,
  ApiKeyView,
  AskingRunView,
  BudgetQuestionView,
  BudgetView,
  CostRowView,
  CostsView,
  CostTotalView,
  EffectQuestionView,
  ErasureView,
  FailureDetailView,
  FailureGroupView,
  FlowDetailView,
  FlowView,
  GaugeView,
  LedgerEntryView,
  LedgerPage,
  LedgerVerdictView,
  ModelCandidateView,
  ModelStatusView,
  ModelsResumedView,
  ModelTestView,
  ModelTestsView,
  ModelsView,
  OverviewView,
  QuestionPage,
  QuestionView,
  QueueView,
  ReceiptView,
  ResumedView,
  RulingView,
  RunDetailView,
  RunPage,
  RunView,
  SentFieldView,
  SignalView,
  StatusView,
  StepView,
  SubflowView,
  UserView,
} from "../../src/server/api/schemas.ts";

export type RulingWord = RulingView["word"];
export type FailedRun = FailureDetailView["runs"][number];
export type RunStatus = RunView["status"];
export type Role = UserView["role"];
export type RunError = NonNullable<RunView["error"]>;
export type Refusal = OverviewView["refusals"][number];
export type CreatedApiKey = ApiKeyView & { readonly token: string };

/** An answer of the API that is an error, as RFC 9457 shapes it; also when Sluice could not be reached at all. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly issues: readonly { path: string; message: string }[];

  constructor(body: Pick<ProblemBody, "status" | "code" | "detail" | "hint" | "issues">) {
    super(body.detail);
    this.status = body.status;
    this.code = body.code;
    this.hint = body.hint;
    this.issues = body.issues ?? [];
  }
}

/** Any thrown value as a {@link Problem}, for showing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({ status: 0, code: "DASHBOARD_FAILED", detail, hint: "Reload the page." });
}

const unreachable = new Problem({
  status: 0,
  code: "UNREACHABLE",
  detail: "Sluice does not answer.",
  hint: "Check that it is running on this machine and that you are connected to its network.",
});

async function readProblem(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "code" in body && "detail" in body) {
    return new Problem(body as ProblemBody);
  }
  return new Problem({
    status: response.status,
    code: `HTTP_${response.status}`,
    detail: `Sluice answered ${response.status} without saying why.`,
    hint: "Look at its log; a proxy between you and Sluice may have answered instead.",
  });
}

/** Asks the API for anything. @throws Problem */
export async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers: body ? { "content-type": "application/json", accept: "application/json" } : { accept: "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  }).catch(() => {
    throw unreachable;
  });
  if (!response.ok) throw await readProblem(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const segment = encodeURIComponent;

/** Which runs to list. `status` is a comma-separated list. */
export interface RunFilter {
  readonly flow?: string | undefined;
  readonly status?: string | undefined;
}

function runQuery(filter: RunFilter, before: string | null): string {
  const query = new URLSearchParams({ limit: "50" });
  if (filter.flow) query.set("flow", filter.flow);
  if (filter.status) query.set("status", filter.status);
  if (before) query.set("before", before);
  return query.toString();
}

/** The API of the admin listener. Every function rejects with a {@link Problem}. */
export const api = {
  setupLink: (token: string) => call<{ live: boolean }>("GET", `/setup?token=${segment(token)}`),
  setUp: (account: { token: string; name: string; email: string; password: string }) =>
    call<UserView>("POST", "/setup", account),
  signIn: (credentials: { email: string; password: string }) => call<UserView>("POST", "/session", credentials),
  session: () => call<UserView>("GET", "/session"),
  signOut: () => call<void>("DELETE", "/session"),
  status: () => call<StatusView>("GET", "/status"),
  overview: () => call<OverviewView>("GET", "/overview"),
  flows: async () => (await call<{ items: FlowView[] }>("GET", "/flows")).items,
  flow: (name: string) => call<FlowDetailView>("GET", `/flows/${segment(name)}`),
  saveSample: (flow: string, sample: string, payload: Json) =>
    call<{ name: string; payload: Json }>("PUT", `/flows/${segment(flow)}/samples/${segment(sample)}`, { payload }),
  sendSample: (flow: string, sample: string, payload: Json) =>
    call<{ runId: string; duplicate: boolean }>("POST", `/flows/${segment(flow)}/samples/${segment(sample)}/send`, {
      payload,
    }),
  runs: (filter: RunFilter, before: string | null) => call<RunPage>("GET", `/runs?${runQuery(filter, before)}`),
  run: (id: string) => call<RunDetailView>("GET", `/runs/${segment(id)}`),
  resume: (id: string) => call<RunView>("POST", `/runs/${segment(id)}/resume`),
  cancel: (id: string) => call<RunView>("POST", `/runs/${segment(id)}/cancel`),
  rule: (id: string, answer: { key: string; word: RulingWord; output?: Json }) =>
    call<RunView>("POST", `/runs/${segment(id)}/rule`, answer),
  migrate: (id: string) => call<RunView>("POST", `/runs/${segment(id)}/migrate`),
  failures: async () => (await call<{ items: FailureGroupView[] }>("GET", "/failures?limit=200")).items,
  failure: (fingerprint: string) => call<FailureDetailView>("GET", `/failures/${segment(fingerprint)}`),
  /** Without `runIds`: all of the group. */
  resumeFailures: (fingerprint: string, runIds?: readonly string[]) =>
    call<ResumedView>("POST", `/failures/${segment(fingerprint)}/resume`, runIds ? { runIds } : {}),
  /** What runs ask people, the oldest first. */
  questions: () => call<QuestionPage>("GET", "/questions?limit=50"),
  queue: () => call<QueueView>("GET", "/queue"),
  keys: async () => (await call<{ items: ApiKeyView[] }>("GET", "/keys")).items,
  createKey: (key: { name: string; role: Role }) => call<CreatedApiKey>("POST", "/keys", key),
  revokeKey: (id: string) => call<void>("DELETE", `/keys/${segment(id)}`),
};
