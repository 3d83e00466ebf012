import type { FaultPlay, Reply } from "./exchange.ts";

const page = (title: string) =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
const html = { "content-type": "text/html; charset=utf-8" };

/** Changes an answer without a pause where there was none: see SandboxServer. */
export function changed(
  reply: Reply | Promise<Reply>,
  change: (given: Reply) => Partial<Reply>,
): Reply | Promise<Reply> {
  return reply instanceof Promise
    ? reply.then((given) => ({ ...given, ...change(given) }))
    : { ...reply, ...change(reply) };
}

/** The stand-in answers; the answer does not arrive as it should. */
export function spoiled(reply: Reply | Promise<Reply>, change: Partial<Reply>): Reply | Promise<Reply> {
  return changed(reply, () => change);
}

/** Faults that every system can have. The first two decide exactly-once questions. */
export const commonFaults = {
  /** The effect happens; the connection is reset before the answer. */
  applied_then_no_answer: ({ handle }) => spoiled(handle(), { delivery: "reset" }),
  /** Nothing happens; the connection is reset. From outside it looks the same. */
  not_applied_reset: () => ({ status: 0, body: null, delivery: "reset" }),
  /** The effect happens; the first byte comes after `delayMs`. */
  slow: ({ handle, params }) => spoiled(handle(), { delayMs: params.delayMs ?? 120_000 }),
  /** The effect happens; half of the answer arrives, then nothing for `delayMs`. */
  stalled_body: ({ handle, params }) => spoiled(handle(), { delivery: "stalled", stallMs: params.delayMs ?? 120_000 }),
  /** The effect happens; half of the answer arrives, then the connection ends. */
  truncated_body: ({ handle }) => spoiled(handle(), { delivery: "truncated" }),
  /** A page of some proxy in place of the answer, with status 200. Nothing happens. */
  html_200: () => ({ status: 200, headers: html, body: page("Checking your browser") }),
  /** Status 200 without a body. Nothing happens. */
  empty_body: () => ({ status: 200, body: "" }),
  bad_gateway: () => ({ status: 502, headers: html, body: page("502 Bad Gateway") }),
  gateway_timeout: () => ({ status: 504, headers: html, body: page("504 Gateway Time-out") }),
} as const satisfies Record<string, FaultPlay>;
