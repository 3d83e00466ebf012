import {
  entityKinds,
  isRecord,
  type Json,
  type MaskPolicy,
  type RunScope,
  type SentField,
  type SentFields,
} from "../core/index.ts";
import type { AiJournal } from "./journal.ts";
import { createMasker, type Detector, type KnownValue, knownValuesOf, type Originals } from "./mask/index.ts";

/** What is masked: the operator's words, the fields, and the text of files. */
export interface Maskable {
  readonly instructions: string;
  readonly fields: SentFields;
  readonly texts: readonly string[];
}

/** The same with placeholders in place of personal values. */
export interface Masked extends Maskable {
  /** Which kinds were masked in which field. */
  readonly maskedByField: { readonly [field: string]: SentField["masked"] };
  /** How many different values of each kind were masked. */
  readonly counts: { readonly [kind: string]: number };
  /** Placeholders that were sent, with what they stand for: what the answer may have restored. */
  readonly originals: Originals;
  /** Whom the call is about. */
  readonly subjects: readonly KnownValue[];
  /** All placeholders of the run, while there are some that are not kept yet. */
  readonly vault: Originals | null;
  /** To be called when `vault` was kept. */
  readonly onVaultKept: () => void;
}

/** Placeholders of the runs under way in this process. Beyond, they are read from their vaults again. */
const mostRuns = 1000;
/** Of as many runs it is known that they have a vault: more than begin in the minute after which a waiting run is executed anew. */
const mostForgotten = 50_000;

/**
 * Stage 2: personal values of a call become placeholders, the same ones over all calls of a run.
 *
 * @throws MASKING_FAILED when a detector fails: then nothing is sent; MASKING_BLOCKED.
 */
export class RunMasking {
  readonly #detectors: readonly Detector[];
  /** By run: what the placeholders stand for, once calls before have been masked. Calls of a run take turns. */
  readonly #runs = new Map<string, Promise<Originals>>();
  readonly #forgotten = new Set<string>();
  /** By run: how many placeholders there are, when not all are kept. A call that had to wait for room has kept none of its own. */
  readonly #unkept = new Map<string, number>();

  constructor(detectors: readonly Detector[]) {
    this.#detectors = detectors;
  }

  /** @param isFirst whether this is the run's first execution, so that no other process can have kept placeholders for it. */
  async mask(
    run: RunScope,
    journal: AiJournal,
    maskable: Maskable,
    { policy, isFirst }: { readonly policy: MaskPolicy; readonly isFirst: boolean },
  ): Promise<Masked> {
    if (entityKinds.every((kind) => policy[kind] === "allow")) return asItIs(maskable);
    const isNew = isFirst && !this.#forgotten.has(run.runId);
    const before = this.#runs.get(run.runId) ?? (isNew ? Promise.resolve({}) : journal.vault(run.runId));
    const masked = before.then(async (originals) => {
      const found = await maskAll(maskable, { run, policy, originals, detectors: this.#detectors });
      const count = Object.keys(found.all).length;
      if (count > Object.keys(originals).length) this.#unkept.set(run.runId, count);
      return { ...found, count };
    });
    this.#remember(
      run.runId,
      masked.then(
        ({ all }) => all,
        () => before,
      ),
    );
    const { all, count, ...found } = await masked;
    return {
      ...found,
      vault: this.#unkept.has(run.runId) ? all : null,
      onVaultKept: () => {
        if ((this.#unkept.get(run.runId) ?? 0) <= count) this.#unkept.delete(run.runId);
      },
    };
  }

  #remember(runId: string, originals: Promise<Originals>): void {
    // A vault that could not be read is read again by the next call.
    originals.catch(() => this.#runs.delete(runId));
    this.#runs.delete(runId);
    this.#runs.set(runId, originals);
    const oldest = this.#runs.keys().next().value;
    if (this.#runs.size <= mostRuns || oldest === undefined) return;
    this.#runs.delete(oldest);
    this.#unkept.delete(oldest);
    this.#forgotten.add(oldest);
    const [first] = this.#forgotten;
    if (this.#forgotten.size > mostForgotten && first !== undefined) this.#forgotten.delete(first);
  }
}

/** With everything allowed nothing is looked for. */
function asItIs(maskable: Maskable): Masked {
  return {
    ...maskable,
    maskedByField: {},
    counts: {},
    originals: {},
    subjects: [],
    vault: null,
    onVaultKept: () => {},
  };
}

interface Masking {
  readonly run: RunScope;
  readonly policy: MaskPolicy;
  readonly originals: Originals;
  readonly detectors: readonly Detector[];
}

/** A masked call, with all placeholders of its run. */
type Found = Omit<Masked, "vault" | "onVaultKept"> & { readonly all: Originals };

async function maskAll(maskable: Maskable, { run, policy, originals, detectors }: Masking): Promise<Found> {
  const known = [...knownValuesOf(run.payload), ...knownValuesOf(maskable.fields)];
  const masker = createMasker({ policy, known, originals, detectors });
  const plain: string[] = [maskable.instructions, ...maskable.texts];
  for (const value of Object.values(maskable.fields)) mapTexts(value, (text) => (plain.push(text), text));
  const found = await masker.mask(plain);
  let next = 0;
  const take = (): string => found.texts[next++] ?? "";
  const instructions = take();
  const texts = maskable.texts.map(take);
  const fields = Object.entries(maskable.fields).map(([name, value]) => [name, mapTexts(value, take)] as const);
  return {
    instructions,
    texts,
    fields: Object.fromEntries(fields),
    maskedByField: Object.fromEntries(fields.map(([name, value]) => [name, kindsIn(value, found.originals)])),
    counts: found.counts,
    originals: found.originals,
    subjects: found.subjects,
    all: masker.originals,
  };
}

/** A number of as many digits may be somebody's phone or account. */
const longNumber = 7;

/** Changes every text of a value in a fixed order: strings, long numbers, and the names of fields inside of it. */
function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === "string") return change(value);
  if (typeof value === "number") {
    const text = String(value);
    const changed = text.length < longNumber ? text : change(text);
    return changed === text ? value : changed;
  }
  if (Array.isArray(value)) return value.map((item: Json) => mapTexts(item, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]));
}

function kindsIn(value: Json, originals: Originals): string[] {
  const text = JSON.stringify(value);
  const inside = Object.keys(originals).filter((placeholder) => text.includes(placeholder));
  return [...new Set(inside.map((placeholder) => placeholder.slice(0, placeholder.lastIndexOf("_"))))];
}
