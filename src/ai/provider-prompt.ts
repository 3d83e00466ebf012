import { type AiFile, type JsonObject, SluiceError } from "../core/index.ts";
import type { HostedModelSpec } from "./model-spec.ts";
import type { Prompt } from "./prompt.ts";
import { type FileKind, providerFacts } from "./provider-facts.ts";
import type { OpenLanguageModel } from "./providers.ts";
import type { ModelRequest } from "./record-intent.ts";

type SdkCall = Parameters<OpenLanguageModel["doGenerate"]>[0];
type SdkMessage = SdkCall["prompt"][number];

/**
 * Writes a request as the AI SDK's packages take it. The files come with the first message of the user.
 *
 * @throws MODEL_INPUT_UNSUPPORTED when the model does not take one of the files.
 */
export function toSdkCall(spec: HostedModelSpec, request: ModelRequest, abortSignal: AbortSignal): SdkCall {
  const { prompt, maxOutputTokens, temperature, files } = request;
  for (const file of files) refuseFile(spec, file);
  return {
    prompt: [{ role: "system", content: prompt.system }, ...toMessages(prompt, files)],
    ...(takesSchema(spec, prompt.schema) && {
      responseFormat: { type: "json", name: "answer", schema: prompt.schema as NonNullable<JsonFormat["schema"]> },
    }),
    maxOutputTokens,
    temperature,
    ...(spec.reasoning && { reasoning: spec.reasoning }),
    providerOptions: providerOptionsOf(spec),
    abortSignal,
  };
}

type JsonFormat = Extract<NonNullable<SdkCall["responseFormat"]>, { readonly type: "json" }>;

/** Bytes of the texts of a prompt, for estimates. */
export function bytesOf(prompt: Prompt): number {
  const texts = [prompt.system, ...prompt.messages.map(({ content }) => content)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function toMessages(prompt: Prompt, files: readonly AiFile[]): SdkMessage[] {
  const first = prompt.messages.findIndex(({ role }) => role === "user");
  return prompt.messages.map(({ role, content }, index) => {
    const text = { type: "text" as const, text: content };
    if (role === "assistant") return { role, content: [text] };
    return { role, content: index === first ? [text, ...files.map(toFilePart)] : [text] };
  });
}

function toFilePart({ mediaType, data, name }: AiFile) {
  const file = { type: "file" as const, mediaType, data: { type: "data" as const, data } };
  return name === undefined ? file : { ...file, filename: name };
}

/** The file's name is left out of the error: it can name a person. */
function refuseFile(spec: HostedModelSpec, { mediaType }: AiFile): void {
  const inputs = spec.inputs ?? providerFacts[spec.provider].inputs;
  const kind = fileKindOf(mediaType);
  if (kind !== null && inputs.includes(kind)) return;
  const type = JSON.stringify(mediaType.slice(0, 60));
  throw new SluiceError("MODEL_INPUT_UNSUPPORTED", {
    message: `${spec.provider} model ${spec.model} does not take a file of type ${type}; it takes ${["text", ...inputs].join(", ")}`,
    hint: "Use a model that takes such files; when this one does, name them in its inputs.",
  });
}

function fileKindOf(mediaType: string): FileKind | null {
  if (mediaType.startsWith("image/")) return "image";
  return mediaType === "application/pdf" ? "pdf" : null;
}

/** Providers take a schema of an object only; for any other, what the prompt says must do. */
function takesSchema(spec: HostedModelSpec, schema: JsonObject | null): boolean {
  return spec.structuredOutput !== false && schema?.["type"] === "object";
}

/** Strict mode takes a subset of JSON Schema only and rejects the rest; our own ladder checks the answer in any case. */
const lenient = { strictJsonSchema: false };

function providerOptionsOf(spec: HostedModelSpec): NonNullable<SdkCall["providerOptions"]> {
  // Azure's deployments have names of their own, from which the package cannot tell that a model thinks.
  const isReasoning = spec.provider === "azure" && spec.reasoning !== undefined;
  return {
    openai: { store: false, ...lenient, ...(isReasoning && { forceReasoning: true }) },
    compatible: lenient,
    mistral: lenient,
  };
}
