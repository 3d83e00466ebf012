import type { AnyFlow, Json } from "../core/index.ts";
import type { Workspace } from "../store/index.ts";
import { UsageError } from "./failure.ts";
import { readJsonInput } from "./json-input.ts";
import type { CommandContext } from "./project.ts";

/** Where a payload comes from: exactly one of them. */
export interface PayloadOptions {
  /** A file, or `-` for standard input. */
  readonly payload?: string;
  /** The name of a sample of the flow, declared in it or saved on the dashboard. */
  readonly sample?: string;
}

/** Reads the payload that a flow is to be run with. @throws UsageError, BODY_NOT_JSON, BODY_TOO_LARGE */
export async function readPayload(
  context: CommandContext,
  flow: AnyFlow,
  workspace: Workspace,
  { payload, sample }: PayloadOptions,
): Promise<Json> {
  if ((payload === undefined) !== (sample === undefined))
    return sample === undefined
      ? readJsonInput(context, { source: payload ?? "", what: "the payload", option: "--payload" })
      : findSample(flow, workspace, sample);
  throw new UsageError(
    payload === undefined ? `flow ${flow.name} needs a payload` : "a payload and a sample were given",
    `Give one of: --payload FILE, --payload - to read standard input, ${sampleChoices(await samplesOf(flow, workspace))}`,
  );
}

async function findSample(flow: AnyFlow, workspace: Workspace, name: string): Promise<Json> {
  const samples = await samplesOf(flow, workspace);
  const found = samples.get(name);
  if (found !== undefined) return found;
  throw new UsageError(
    `flow ${flow.name} has no sample ${JSON.stringify(name)}`,
    samples.size === 0 ? "It has no samples; give a payload with --payload FILE." : `Use ${sampleChoices(samples)}`,
  );
}

/** Saved ones stand before those declared in the flow, as on the dashboard. */
async function samplesOf({ name, trigger }: AnyFlow, workspace: Workspace): Promise<Map<string, Json>> {
  const saved = await workspace.samples.ofFlow(name);
  return new Map([...Object.entries(trigger.samples), ...saved.map((one) => [one.name, one.payload] as const)]);
}

function sampleChoices(samples: ReadonlyMap<string, Json>): string {
  const names = [...samples.keys()].map((name) => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name)));
  return names.length === 0 ? "or declare samples in its trigger" : names.map((name) => `--sample ${name}`).join(", ");
}
