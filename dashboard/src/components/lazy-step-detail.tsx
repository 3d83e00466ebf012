import { lazyPart } from "./lazy-part.tsx";
import { SkeletonRows } from "./panel.tsx";

/** Everything that is known of a step. The timeline is there before. */
export const LazyStepDetail = lazyPart(
  async () => (await import("./step-detail.tsx")).StepDetail,
  <SkeletonRows rows={3} />,
);
