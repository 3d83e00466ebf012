import type { RunDetailView } from "../api.ts";
import type { TimeScale } from "../timeline.ts";

/** The columns of the timeline: name, bar, duration. On a phone the bar goes under the name. */
export const timelineGrid =
  "grid min-h-8 grid-cols-[minmax(0,1fr)_88px] items-center gap-x-4 px-4 max-md:py-1.5 md:grid-cols-[minmax(0,288px)_minmax(0,1fr)_88px] max-md:[&>:nth-child(2)]:order-last max-md:[&>:nth-child(2)]:col-span-2";

/** How far a step stands to the right of the one that it is inside of, in pixels. */
export const indentPx = 18;

/** What the rows of a timeline share. */
export interface Timeline {
  readonly run: RunDetailView;
  /** The present time; once the run has ended, when it did. */
  readonly now: number;
  readonly scale: TimeScale;
}
