/** Variables of the service that name the addresses of the outside systems. */
export const variables = { sandbox: "PROOF_SANDBOX_ORIGIN", mirror: "PROOF_MIRROR_ORIGIN" } as const;

/**
 * How the mirror answers, each as a model of its own. It quotes whole request and key wherever it refuses; `first-` refuses a
 * prompt once and then answers it with itself.
 */
export const mirrorModes = [
  "says-400",
  "says-401",
  "says-402",
  "says-404",
  "says-code",
  "says-nonsense",
  "first-429",
  "first-500",
  "first-html",
  "echo",
] as const;

/** A way in which the mirror answers. */
export type MirrorMode = (typeof mirrorModes)[number] | "echo-object";

/** Name of the mirror's key for a way: a key that is refused closes for its model alone. */
export const mirrorKey = (mode: MirrorMode): string => `MIRROR_KEY_${mode.replaceAll("-", "_").toUpperCase()}`;

/** Names of the keys of the sandbox's models. */
export const keyNames = {
  openai: "PROOF_OPENAI_KEY",
  anthropic: "PROOF_ANTHROPIC_KEY",
  cohere: "PROOF_COHERE_KEY",
} as const;

/** Name of the secret of a hook that takes a bearer token. */
export const bearerHookKey = "PROOF_BEARER_HOOK";

/** Ways in which code of a flow goes wrong with a lead in its hands. */
export const breakages = ["type-error", "cause", "subflow", "action", "signal", "not-json"] as const;

/** What only the stand-in of Presidio takes for a name. */
export const markerPattern: RegExp = /zyx[a-z0-9]+/g;
