import type { SecretReference } from "../core/index.ts";

/** The `fetch` that requests to models go through. A guarded one: see `createGuardedFetch`. */
export type ModelFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What a request to a provider needs from outside. */
export interface ModelAccess {
  readonly fetch: ModelFetch;
  /** Gives the value of a secret. @throws SECRET_MISSING when there is none. */
  readonly resolveSecret: (reference: SecretReference) => string | Promise<string>;
}
