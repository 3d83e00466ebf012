import { lazy, Suspense, type ComponentProps } from "react";
import { SkeletonRows } from "./panel.tsx";

const StepDetail = lazy(async () => {
  const { StepDetail: Component } = await import("./step-detail.tsx");
  return { default: Component };
});

/** Everything that is known of a step, loaded when the first one is opened: the timeline is there before. */
export function LazyStepDetail(props: ComponentProps<typeof StepDetail>) {
  return (
    <Suspense fallback={<SkeletonRows rows={3} />}>
      <StepDetail {...props} />
    </Suspense>
  );
}
