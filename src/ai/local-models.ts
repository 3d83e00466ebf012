import { isRecord } from "../core/index.ts";
import type { ModelFetch } from "./model-access.ts";

/** A place where a model server may listen. */
export interface LocalServer {
  readonly name: string;
  /** Such as `http://127.0.0.1:11434`. */
  readonly origin: string;
}

/** A model server that answered. */
export interface LocalModel {
  readonly server: string;
  readonly model: string;
  readonly baseUrl: string;
}

/** The default addresses of the common servers, in the order of preference. */
export const defaultLocalServers: readonly LocalServer[] = [
  { name: "Ollama", origin: "http://127.0.0.1:11434" },
  { name: "LM Studio", origin: "http://127.0.0.1:1234" },
  { name: "llama.cpp", origin: "http://127.0.0.1:8080" },
  { name: "vLLM", origin: "http://127.0.0.1:8000" },
];

/** Long enough for a busy server on this machine, short enough for a start without one. */
const patienceMs = 300;

/** Models that cannot hold a conversation, by what their ids contain. */
const notForText = /embed|rerank|whisper|tts|diffusion|clip/i;

/** Asks all places at once which models they have; gives the first usable model of the most preferred place. */
export async function findLocalModel(
  fetch: ModelFetch,
  servers: readonly LocalServer[] = defaultLocalServers,
): Promise<LocalModel | undefined> {
  const found = await Promise.all(servers.map((server) => askServer(fetch, server)));
  return found.find((model) => model !== undefined);
}

async function askServer(fetch: ModelFetch, { name, origin }: LocalServer): Promise<LocalModel | undefined> {
  const baseUrl = `${origin}/v1`;
  try {
    const response = await fetch(`${baseUrl}/models`, { signal: AbortSignal.timeout(patienceMs) });
    const model = response.ok ? firstTextModel(await response.json()) : undefined;
    return model === undefined ? undefined : { server: name, model, baseUrl };
  } catch {
    // Nothing listens there, or something that is no model server: the ordinary case.
    return undefined;
  }
}

function firstTextModel(list: unknown): string | undefined {
  const models: readonly unknown[] = isRecord(list) && Array.isArray(list["data"]) ? list["data"] : [];
  const ids = models.map((model) => (isRecord(model) ? model["id"] : undefined));
  return ids.find((id): id is string => typeof id === "string" && id !== "" && !notForText.test(id));
}
