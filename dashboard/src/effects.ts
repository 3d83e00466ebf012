import type { ReceiptView, RunDetailView } from "./api.ts";

/** An effect as a preview tells of it. */
export interface Effect {
  readonly action: string;
  readonly key: string;
  readonly state: ReceiptView["state"];
}

/** Effects by what resuming does to them. */
export interface EffectGroups {
  /** Done, and not repeated. */
  readonly kept: readonly Effect[];
  /** Not done, and tried. */
  readonly tried: readonly Effect[];
  /** May have been done, and sent again with the same key. */
  readonly repeated: readonly Effect[];
  /** May have been done and cannot be taken back: a person has to say. */
  readonly asked: readonly Effect[];
}

/** Every effect of a run by what resuming does to it. The preview has those from the failed step on; those before it are kept. */
export function groupEffects({ resume, steps }: RunDetailView): EffectGroups {
  const again = new Set(resume.effects.map(({ key }) => key));
  const before = steps.flatMap(({ receipt }): Effect[] =>
    receipt?.state === "done" && receipt.effect !== "read" && !again.has(receipt.key) ? [receipt] : [],
  );
  const inDoubt = resume.effects.filter(({ state }) => state === "intent" || state === "unknown");
  return {
    kept: [...before, ...resume.effects.filter(({ state }) => state === "done")],
    tried: resume.effects.filter(({ state }) => state === "not_done"),
    repeated: inDoubt.filter((effect) => effect.wouldRepeat),
    asked: inDoubt.filter((effect) => !effect.wouldRepeat),
  };
}

/** The effects of many runs together. */
export function joinGroups(groups: readonly EffectGroups[]): EffectGroups {
  const all = (name: keyof EffectGroups) => groups.flatMap((group) => group[name]);
  return { kept: all("kept"), tried: all("tried"), repeated: all("repeated"), asked: all("asked") };
}
