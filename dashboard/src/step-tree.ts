import type { RunDetailView, RunStatus, StepView } from "./api.ts";

/** A step with the steps inside it: the items of a map, or what an item did. */
export interface StepNode {
  readonly step: StepView;
  readonly children: readonly StepNode[];
}

/** A step's state as people are told it, which knows how its run stands. */
export type ShownStatus = RunStatus | "reopened";

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));
const numberOf = (path: string): number => Number(path.slice(path.lastIndexOf(".") + 1));

/** Steps as a tree by their paths, in the order of their numbers. A step whose parent is not there stands at the top. */
export function treeOf(steps: readonly StepView[]): StepNode[] {
  const paths = new Set(steps.map(({ path }) => path));
  const byParent = Map.groupBy(steps, ({ path }) => (paths.has(parentOf(path)) ? parentOf(path) : ""));
  const inside = (path: string): StepNode[] =>
    (byParent.get(path) ?? [])
      .toSorted((a, b) => numberOf(a.path) - numberOf(b.path))
      .map((step) => ({ step, children: inside(step.path) }));
  return inside("");
}

/** The step of a path; undefined where it is not recorded. */
export function findNode(nodes: readonly StepNode[], path: string | null): StepNode | undefined {
  for (const node of nodes) {
    if (node.step.path === path) return node;
    const inside = path?.startsWith(`${node.step.path}.`) ? findNode(node.children, path) : undefined;
    if (inside) return inside;
  }
  return undefined;
}

/** Whether nobody knows if the effect of a step, or of one inside it, was done. */
function isInDoubt({ step, children }: StepNode): boolean {
  if (step.status !== "failed") return false;
  if (step.error?.code === "EFFECT_IN_DOUBT" || step.receipt?.state === "unknown") return true;
  return children.some(isInDoubt);
}

/** What the state of a step looks like from outside: an unfinished step of a run that waits, waits; one that its run left behind was cancelled. */
export function shownStatus(node: StepNode, run: Pick<RunDetailView, "status" | "finishedAt">): ShownStatus {
  const { status, finishedAt } = node.step;
  if (status === "failed") return isInDoubt(node) ? "in_doubt" : "failed";
  if (finishedAt !== null) return status;
  if (run.finishedAt !== null) return "cancelled";
  return status === "running" && run.status === "waiting" ? "waiting" : status;
}

/** What needs a person comes first. */
const order: readonly ShownStatus[] = [
  "in_doubt",
  "failed",
  "running",
  "waiting",
  "reopened",
  "queued",
  "cancelled",
  "succeeded",
];

/** An item of a map with its state. */
export interface Item {
  readonly node: StepNode;
  readonly status: ShownStatus;
}

/** The items of a map: those in doubt first, then those that failed, those under way, and the rest, each in the order of its number. */
export function itemsOf(map: StepNode, run: RunDetailView): Item[] {
  const items = map.children.map((node) => ({ node, status: shownStatus(node, run) }));
  return items.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
}

/** How many items of a map are in each state. */
export interface ItemCounts {
  readonly total: number;
  readonly byStatus: { readonly [status in ShownStatus]?: number };
  /** Items that have not begun. */
  readonly left: number;
}

export function countItems(map: StepNode, items: readonly Item[]): ItemCounts {
  const byStatus: { [status in ShownStatus]?: number } = {};
  for (const { status } of items) byStatus[status] = (byStatus[status] ?? 0) + 1;
  const { input } = map.step;
  const given = typeof input === "object" && input !== null && "items" in input ? input["items"] : null;
  const total = typeof given === "number" ? Math.max(given, items.length) : items.length;
  return { total, byStatus, left: total - items.length };
}

/** Steps that are not over and hold no others: what a run works on, or waits for. */
export function pendingOf(nodes: readonly StepNode[]): StepView[] {
  return nodes.flatMap(({ step, children }) => {
    if (step.finishedAt !== null) return [];
    const inside = pendingOf(children);
    return inside.length > 0 || step.kind === "map" || step.kind === "item" ? inside : [step];
  });
}
