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
  /** All placeholders of the run, when this call made new ones. */
  readonly vault: Originals | null;
}

/** Placeholders of the runs under way in this process. Beyond, they are read from their vaults again. */
const mostRuns = 1000;

/**
 * Stage 2: personal values of a call become placeholders, the same ones over all calls of a run.
 *
 * @throws MASKING_FAILED when a detector fails: then nothing is sent; MASKING_BLOCKED.
 */
export class RunMasking {
  readonly #detectors: readonly Detector[];
  /** By run: what the placeholders stand for, once calls before have been masked. Calls of a run take turns. */
  readonly #runs = new Map<string, Promise<Originals>>();

  constructor(detectors: readonly Detector[]) {
    this.#detectors = detectors;
  }

  async mask(run: RunScope, journal: AiJournal, maskable: Maskable, policy: MaskPolicy): Promise<Masked> {
    if (entityKinds.every((kind) => policy[kind] === "allow")) return asItIs(maskable);
    const before = this.#runs.get(run.runId) ?? journal.vault(run.runId);
    const masked = before.then((originals) =>
      maskAll(maskable, { run, policy, originals, detectors: this.#detectors }),
    );
    this.#remember(
      run.runId,
      masked.then(
        ({ vault }) => vault ?? before,
        () => before,
      ),
    );
    return masked;
  }

  #remember(runId: string, originals: Promise<Originals>): void {
    // A vault that could not be read is read again by the next call.
    originals.catch(() => this.#runs.delete(runId));
    this.#runs.delete(runId);
    this.#runs.set(runId, originals);
    const oldest = this.#runs.keys().next().value;
    if (this.#runs.size > mostRuns && oldest !== undefined) this.#runs.delete(oldest);
  }
}

/** With everything allowed nothing is looked for. */
function asItIs(maskable: Maskable): Masked {
  return { ...maskable, maskedByField: {}, counts: {}, originals: {}, subjects: [], vault: null };
}

interface Masking {
  readonly run: RunScope;
  readonly policy: MaskPolicy;
  readonly originals: Originals;
  readonly detectors: readonly Detector[];
}

async function maskAll(maskable: Maskable, { run, policy, originals, detectors }: Masking): Promise<Masked> {
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
  const isNew = Object.keys(masker.originals).length > Object.keys(originals).length;
  return {
    instructions,
    texts,
    fields: Object.fromEntries(fields),
    maskedByField: Object.fromEntries(fields.map(([name, value]) => [name, kindsIn(value, found.originals)])),
    counts: found.counts,
    originals: found.originals,
    subjects: found.subjects,
    vault: isNew ? masker.originals : null,
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
