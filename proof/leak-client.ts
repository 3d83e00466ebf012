import type { Json } from "../src/core/index.ts";

/** Who asks. */
export type Role = "anonymous" | "viewer" | "auditor" | "admin" | "session";

/** What came back. */
export interface Heard {
  readonly status: number;
  readonly body: Json;
}

/** What {@link createClient} takes. */
export interface ClientOptions {
  readonly adminUrl: string;
  /** Headers by which each is known; nobody by none. */
  readonly identities: { readonly [Who in Role]: { readonly [header: string]: string } };
  /** Given every answer, headers and body, with the name of what was asked. */
  readonly hear: (place: string, text: string) => void;
}

/** Asks the API, and lets everything that it answers be heard. */
export interface Client {
  /** @param name of the route, for the verdict. */
  ask(
    who: Role,
    name: string,
    path: string,
    request?: { readonly method: string; readonly body?: unknown },
  ): Promise<Heard>;
}

/** Makes it. */
export function createClient({ adminUrl, identities, hear }: ClientOptions): Client {
  return {
    async ask(who, name, path, { method, body } = { method: "GET" }) {
      const url = `${adminUrl}${path}`;
      const headers = {
        ...identities[who],
        origin: adminUrl,
        ...(body !== undefined && { "content-type": "application/json" }),
      };
      const response = await fetch(url, {
        method,
        headers,
        signal: AbortSignal.timeout(10_000),
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      hear(`${name} for ${who}`, `${JSON.stringify([...response.headers])}\n${text}`);
      return { status: response.status, body: parse(text) };
    },
  };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // A page, lines, or nothing.
    return text;
  }
}
