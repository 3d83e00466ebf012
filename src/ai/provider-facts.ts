import { type SecretReference, secret } from "../core/index.ts";
import type { HostedModelSpec, HostedProvider } from "./model-spec.ts";

/** What a model is asked for. */
export type ModelKind = NonNullable<HostedModelSpec["kind"]>;

/** A file that is no text, as far as models tell them apart. */
export type FileKind = NonNullable<HostedModelSpec["inputs"]>[number];

/** What is the same for all models of a provider. */
export interface ProviderFacts {
  /** The package that speaks to it, an optional peer, with the major version that Sluice is tested with. */
  readonly peer: { readonly name: string; readonly majorVersion: number };
  readonly kinds: readonly ModelKind[];
  /** Files that its models for text usually take, as far as its package sends them. */
  readonly inputs: readonly FileKind[];
  /** The variable in which the key usually stands; null when there is none without configuration. */
  readonly keyVariable: string | null;
}

const imageAndPdf = ["image", "pdf"] as const;

/** @see https://ai-sdk.dev/providers/ai-sdk-providers */
export const providerFacts: { readonly [Provider in HostedProvider]: ProviderFacts } = {
  openai: {
    peer: { name: "@ai-sdk/openai", majorVersion: 4 },
    kinds: ["text", "embedding"],
    inputs: imageAndPdf,
    keyVariable: "OPENAI_API_KEY",
  },
  anthropic: {
    peer: { name: "@ai-sdk/anthropic", majorVersion: 4 },
    kinds: ["text"],
    inputs: imageAndPdf,
    keyVariable: "ANTHROPIC_API_KEY",
  },
  google: {
    peer: { name: "@ai-sdk/google", majorVersion: 4 },
    kinds: ["text", "embedding"],
    inputs: imageAndPdf,
    keyVariable: "GEMINI_API_KEY",
  },
  azure: {
    peer: { name: "@ai-sdk/azure", majorVersion: 4 },
    kinds: ["text", "embedding"],
    inputs: ["image"],
    keyVariable: "AZURE_OPENAI_API_KEY",
  },
  bedrock: {
    peer: { name: "@ai-sdk/amazon-bedrock", majorVersion: 5 },
    kinds: ["text", "embedding", "rerank"],
    inputs: imageAndPdf,
    keyVariable: "AWS_ACCESS_KEY_ID",
  },
  mistral: {
    peer: { name: "@ai-sdk/mistral", majorVersion: 4 },
    kinds: ["text", "embedding"],
    inputs: imageAndPdf,
    keyVariable: "MISTRAL_API_KEY",
  },
  cohere: {
    peer: { name: "@ai-sdk/cohere", majorVersion: 4 },
    kinds: ["text", "embedding", "rerank"],
    inputs: ["image"],
    keyVariable: "COHERE_API_KEY",
  },
  "openai-compatible": {
    peer: { name: "@ai-sdk/openai-compatible", majorVersion: 3 },
    kinds: ["text", "embedding", "rerank"],
    inputs: [],
    keyVariable: null,
  },
};

/** What a model is asked for, its default included. */
export function kindOf(spec: HostedModelSpec): ModelKind {
  return spec.kind ?? "text";
}

/** The secret that a model's requests carry, for `bedrock` the access key's id; null for a server that takes none. */
export function keyOf(spec: HostedModelSpec): SecretReference | null {
  if (spec.apiKey !== undefined) return spec.apiKey;
  if (spec.provider === "bedrock" && spec.accessKeyId !== undefined) return spec.accessKeyId;
  const { keyVariable } = providerFacts[spec.provider];
  return keyVariable === null ? null : secret(keyVariable);
}
