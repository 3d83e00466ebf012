import { setTimeout as delay } from "node:timers/promises";
import {
  type Ai,
  type AiRequest,
  type AnyFlow,
  type ClassifyRequest,
  createIdentifier,
  type FlowContext,
  type Json,
  type MaskPolicy,
  parseSchema,
  type Priority,
  type RunScope,
  type Schema,
  type SentField,
  type SentFields,
  SluiceError,
  type StepRequest,
  toJsonSchema,
  toMs,
  withRunScope,
} from "../core/index.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { AiJournal } from "./journal.ts";
import { minimise } from "./minimise.ts";
import { isSimulated, modelIdOf } from "./model-spec.ts";
import { composePrompt } from "./prompt.ts";
import { type RoutingNeeds, route } from "./route.ts";
import { RunMasking } from "./run-masking.ts";
import { createSimulatedAnswer } from "./simulated/answer.ts";

/** What {@link traceSends} takes. */
export interface TraceOptions {
  readonly flow: AnyFlow;
  /** An event of the flow. Undefined: one is made up from the trigger's schema. */
  readonly payload: Json | undefined;
  readonly gateway: Pick<GatewayOptions, "models" | "detectors" | "masking">;
}

/** What a step would send to a model. */
export interface TracedCall {
  readonly step: string;
  readonly modelName: string;
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
  readonly lane: Priority;
  readonly fields: readonly SentField[];
}

/** What running a flow dry showed. */
export interface Trace {
  /** In the order in which they were first made. */
  readonly calls: readonly TracedCall[];
  /** What it could not show, in words; null when it came to the flow's end and all was known. */
  readonly note: string | null;
}

/** A flow that loops over what models answer may never end here. */
const mostSteps = 500;
const longestMs = 5000;
/** Items of a map are alike. */
const mostItems = 20;

/**
 * Runs a flow on one event to see which fields it would send to which model: no effect, no network, no model, and nothing
 * recorded. The simulated model answers; actions answer with made-up values that fit their schemas; waits end at once. What the
 * flow's own steps would give is not known and taken for null. Never rejects: what went wrong is in the note.
 */
export async function traceSends(options: TraceOptions): Promise<Trace> {
  const tracer = new Tracer(options);
  return tracer.run();
}

/** Ends a trace from inside of it. */
class TraceEnded extends Error {
  override readonly name = "TraceEnded";
}

interface Asked extends Pick<RoutingNeeds, "kind" | "name"> {
  readonly send: SentFields;
  readonly lane?: Priority | undefined;
  readonly dataClasses?: readonly string[] | undefined;
  readonly masking?: MaskPolicy | undefined;
}

/** Of a journal, masking needs what the placeholders of earlier calls stand for; there are none. */
const noPlaceholders: Pick<AiJournal, "vault"> = { vault: async () => ({}) };

const asText = <Request extends AiRequest>({ model, ...request }: Request) =>
  ({ ...request, kind: "text", name: model ?? "fast" }) as const;

/** What actions say of their results. */
type DryRequest<T> = StepRequest<T> & { readonly output?: Schema };

class Tracer {
  readonly #options: TraceOptions;
  readonly #masking: RunMasking;
  readonly #calls = new Map<string, TracedCall>();
  readonly #unknown = new Set<string>();
  #steps = 0;
  #last: string | null = null;
  #isOver = false;

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#masking = new RunMasking(options.gateway.detectors);
  }

  async run(): Promise<Trace> {
    const stop = new AbortController();
    const ended = await Promise.race([
      this.#execute().then(
        () => null,
        (thrown: unknown) => this.#describe(thrown),
      ),
      delay(longestMs, "it was stopped after 5 s", { signal: stop.signal, ref: false }),
    ]);
    stop.abort();
    // What a flow that was stopped still does must come to nothing.
    this.#isOver = true;
    return { calls: [...this.#calls.values()], note: this.#noteOf(ended) };
  }

  async #execute(): Promise<void> {
    const { flow, payload } = this.#options;
    const given = payload === undefined ? answerOf(flow.trigger.payload, {}) : payload;
    const parsed = await parseSchema(flow.trigger.payload, given, {
      code: "PAYLOAD_INVALID",
      what: payload === undefined ? "an event made up from the schema" : "the sample",
    });
    const scope = this.#scopeOf(given);
    await withRunScope(scope, () => flow.execute(parsed as never, this.#contextOf(scope)));
  }

  /** A step that is not executed. @throws TraceEnded when there were too many, or the trace is over. */
  #step(name: string): void {
    if (this.#isOver || ++this.#steps > mostSteps) throw new TraceEnded(`it was stopped after ${mostSteps} steps`);
    this.#last = name;
  }

  #scopeOf(payload: Json): RunScope {
    const { flow } = this.#options;
    return {
      workspaceId: "trace",
      runId: createIdentifier("run", new Date()),
      flow: flow.name,
      flowSettings: flow,
      payload,
      step: async <T>({ name, kind, output }: DryRequest<T>) => {
        this.#step(name);
        if (output) return answerOf(output, {}) as T;
        this.#unknown.add(kind === "code" ? `step "${name}"` : `"${name}"`);
        return null as T;
      },
      map: (items, work) => this.#map(items, work),
      subflow: async (name) => {
        this.#step(name);
        this.#unknown.add(`sub-flow ${name}, which has a map of its own`);
        return null;
      },
      sleep: async (name) => this.#step(name),
      waitForSignal: async (name, { schema }) => {
        this.#step(name);
        return parseSchema(schema, answerOf(schema, {}), { code: "REQUEST_INVALID", what: `signal "${name}"` });
      },
      // Only for what steps do when they are executed, which none is.
      service: (() => ({})) as RunScope["service"],
    };
  }

  #contextOf(scope: RunScope): FlowContext {
    return {
      run: { id: scope.runId, flow: scope.flow },
      ai: this.#ai(scope),
      step: (name, work, options) => scope.step({ name, kind: options?.effect ? "effect" : "code", execute: work }),
      map: (items, work, options) => scope.map(items, work, options ?? {}),
      sleep: (name, duration) => scope.sleep(name, toMs(duration)),
      waitForSignal: (name, { schema }) => scope.waitForSignal(name, { schema, timeoutMs: 0 }),
    };
  }

  async #map<Item, Result>(
    items: readonly Item[],
    work: (item: Item, index: number) => Promise<Result>,
  ): Promise<Result[]> {
    const results: Result[] = [];
    for (const [index, item] of items.slice(0, mostItems).entries()) results.push(await work(item, index));
    return results;
  }

  #ai(run: RunScope): Ai {
    return {
      object: async (name, request) => {
        await this.#send(run, name, asText(request));
        const answer = answerOf(request.schema, request.send, request.instructions);
        return parseSchema(request.schema, answer, { code: "OUTPUT_INVALID", what: `the made-up answer to "${name}"` });
      },
      text: async (name, request) => {
        await this.#send(run, name, asText(request));
        return createSimulatedAnswer(composePrompt(request.instructions, request.send, null)).text;
      },
      classify: async <Label extends string>(name: string, request: ClassifyRequest<Label>) => {
        await this.#send(run, name, asText(request));
        const [first] = Object.keys(request.labels) as Label[];
        if (first !== undefined) return first;
        throw new SluiceError("FLOW_INVALID", { message: `"${name}" was given no labels` });
      },
      embed: async (name, { texts, model = "embed", ...request }) => {
        await this.#send(run, name, { ...request, kind: "embedding", name: model, send: { texts } });
        return texts.map(() => [0]);
      },
      rerank: async (name, { query, documents, top, model = "rerank", ...request }) => {
        await this.#send(run, name, { ...request, kind: "rerank", name: model, send: { query, documents } });
        return documents.slice(0, top).map((_document, index) => ({ index, score: -index }));
      },
    };
  }

  /**
   * Notes what a call would send, as the stages before the call itself see it.
   *
   * @throws MODEL_UNKNOWN, MODEL_NOT_ALLOWED, MASKING_BLOCKED, as the call would.
   */
  async #send(run: RunScope, step: string, { name, kind, send, ...asked }: Asked): Promise<void> {
    this.#step(step);
    const { flow, gateway } = this.#options;
    const { fields, origins } = minimise(send, run.payload);
    const policy = { ...gateway.masking, ...flow.masking, ...asked.masking };
    const maskable = { instructions: "", fields, texts: [] };
    const { maskedByField } = await this.#masking.mask(run, noPlaceholders as AiJournal, maskable, {
      policy,
      isFirst: true,
    });
    const dataClasses = [...(flow.dataClasses ?? []), ...(asked.dataClasses ?? [])];
    const [model] = route(gateway.models, { name, kind, dataClasses, regions: flow.regions });
    if (!model) return;
    const { spec } = model;
    const place = {
      step,
      modelName: name,
      provider: spec.provider,
      model: modelIdOf(spec),
      region: isSimulated(spec) ? null : (spec.region ?? null),
      lane: asked.lane ?? flow.priority,
    };
    const key = JSON.stringify(place);
    const known = this.#calls.get(key)?.fields ?? [];
    const news = origins.filter((origin) => !known.some((one) => one.name === origin.name));
    const added = news.map((origin) => ({ ...origin, masked: maskedByField[origin.name] ?? [] }));
    this.#calls.set(key, { ...place, fields: [...known, ...added] });
  }

  #describe(thrown: unknown): string {
    if (thrown instanceof TraceEnded) return thrown.message;
    const at = this.#last === null ? "at its beginning" : `after "${this.#last}"`;
    // What the flow's own code throws may quote the event.
    if (!(thrown instanceof SluiceError)) {
      return `it stopped ${at} with ${thrown instanceof Error ? thrown.name : "an error"}`;
    }
    return `it stopped ${at}: ${thrown.code}: ${thrown.message}`;
  }

  #noteOf(ended: string | null): string | null {
    const unknown = [...this.#unknown];
    const parts = [
      ...(ended === null ? [] : [ended]),
      ...(unknown.length === 0 ? [] : [`not executed, and taken to give nothing: ${unknown.join(", ")}`]),
    ];
    return parts.length === 0 ? null : `Traced without executing anything; ${parts.join("; ")}.`;
  }
}

/** A made-up value of a schema, from the words of some data. */
function answerOf(schema: Schema, data: SentFields, instructions = ""): Json {
  const prompt = composePrompt(instructions, data, toJsonSchema(schema));
  return JSON.parse(createSimulatedAnswer(prompt).text) as Json;
}
