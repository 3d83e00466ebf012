import type { Effect, EffectGroups } from "../effects.ts";
import { plural } from "../format.ts";
import type { ShownStatus } from "../step-tree.ts";
import { receiptWords } from "../words.ts";
import { Badge } from "./badge.tsx";
import { StatusIcon } from "./status.tsx";

const badgeTones = { done: "ok", not_done: "neutral", intent: "doubt", unknown: "doubt" } as const;

/** So many effects of a kind are listed; the rest are counted. */
const listedEffects = 20;

interface EffectListProps {
  readonly title: string;
  readonly icon: ShownStatus;
  readonly effects: readonly Effect[];
  /** What to know about them. */
  readonly note?: string;
}

/** Effects that one thing happens to. Nothing where there are none. */
export function EffectList({ title, icon, effects, note }: EffectListProps) {
  if (effects.length === 0) return null;
  const hidden = effects.length - listedEffects;
  return (
    <section>
      <h3 className="mb-1.5 font-medium">{title}</h3>
      <ul className="divide-y divide-line rounded-md border border-line">
        {effects.slice(0, listedEffects).map((effect) => (
          <li key={effect.key} className="flex items-center gap-2.5 px-3 py-1.5">
            <StatusIcon status={icon} />
            <code className="text-xs font-medium">{effect.action}</code>
            <Badge tone={badgeTones[effect.state]}>{receiptWords[effect.state].label}</Badge>
            <code title={effect.key} className="ml-auto min-w-0 truncate text-xs text-ink-3 [direction:rtl]">
              {effect.key}
            </code>
          </li>
        ))}
        {hidden > 0 && <li className="px-3 py-1.5 text-ink-2">and {plural(hidden, "more", "more")}</li>}
      </ul>
      {note !== undefined && <p className="mt-1.5 text-xs text-ink-2">{note}</p>}
    </section>
  );
}

/** What resuming does to each effect. */
export function ResumedEffects({ kept, tried, repeated, asked }: EffectGroups) {
  return (
    <>
      <EffectList title="Done, and will not be repeated" icon="succeeded" effects={kept} />
      <EffectList title="Not done; will be tried" icon="queued" effects={tried} />
      <EffectList
        title="May have been done, and would be sent again"
        icon="in_doubt"
        effects={repeated}
        note="With the same idempotency key as before: a system that heeds it does the work once. Look there first if it does not."
      />
      <EffectList
        title="May have been done, and will not be sent again before a person says"
        icon="in_doubt"
        effects={asked}
      />
    </>
  );
}
