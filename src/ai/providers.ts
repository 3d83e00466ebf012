import type { LanguageModel } from "ai";
import { SluiceError, secret } from "../core/index.ts";
import type { ModelAccess } from "./model-access.ts";
import type { HostedModelSpec } from "./model-spec.ts";

/**
 * Opens a hosted model through its provider's package, loaded on first use.
 *
 * Base URL and key are always passed, because the packages would otherwise read the process's environment.
 *
 * @throws PEER_MISSING when the package is not installed; SECRET_MISSING when the key is not there.
 */
export async function openHostedModel(spec: HostedModelSpec, access: ModelAccess): Promise<LanguageModel> {
  const { fetch } = access;
  if (spec.provider === "anthropic") {
    const { createAnthropic } = await loadPeer("@ai-sdk/anthropic", "4", () => import("@ai-sdk/anthropic"));
    const apiKey = await access.resolveSecret(spec.apiKey ?? secret("ANTHROPIC_API_KEY"));
    return createAnthropic({ apiKey, baseURL: spec.baseUrl ?? "https://api.anthropic.com/v1", fetch })(spec.model);
  }
  if (spec.provider === "openai") {
    const { createOpenAI } = await loadPeer("@ai-sdk/openai", "4", () => import("@ai-sdk/openai"));
    const apiKey = await access.resolveSecret(spec.apiKey ?? secret("OPENAI_API_KEY"));
    // Chat completions: every server of OpenAI's shape speaks them, and OpenAI keeps none of them by default.
    return createOpenAI({ apiKey, baseURL: spec.baseUrl ?? "https://api.openai.com/v1", fetch }).chat(spec.model);
  }
  return openCompatible(spec, access);
}

async function openCompatible(spec: HostedModelSpec, { fetch, resolveSecret }: ModelAccess): Promise<LanguageModel> {
  const { createOpenAICompatible } = await loadPeer(
    "@ai-sdk/openai-compatible",
    "3",
    () => import("@ai-sdk/openai-compatible"),
  );
  const provider = createOpenAICompatible({
    name: "compatible",
    baseURL: spec.baseUrl ?? "",
    fetch,
    supportsStructuredOutputs: spec.structuredOutput ?? true,
    ...(spec.apiKey && { apiKey: await resolveSecret(spec.apiKey) }),
  });
  return provider(spec.model);
}

/** Loads an optional package. @throws PEER_MISSING with the line that installs it. */
export async function loadPeer<T>(name: string, majorVersion: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A package that is there but lacks one of its own is broken, which installing it again would hide.
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(`'${name}'`)) throw error;
    throw new SluiceError("PEER_MISSING", {
      message: `the package ${name} is not installed, and a configured model needs it`,
      hint: `npm install ${name}@${majorVersion}`,
      cause: error,
    });
  }
}
