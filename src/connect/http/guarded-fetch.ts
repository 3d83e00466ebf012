import { Agent, fetch as undiciFetch, type Dispatcher, type Response as UndiciResponse } from "undici";
import { SluiceError } from "../../core/index.ts";
import { capBody } from "./capped-body.ts";
import { toEgressError, type Exchange } from "./egress-error.ts";
import { checkTarget, createEgressPolicy, parseTarget, refusal, type EgressPolicyOptions } from "./egress-policy.ts";
import { createGuardedConnector, type Lookup } from "./guarded-connector.ts";
import { followRedirect, redirectTarget, type Hop } from "./redirect.ts";

/** What {@link createGuardedFetch} takes. */
export interface GuardedFetchOptions extends EgressPolicyOptions {
  /**
   * Origins that may be reached although they are on this machine or in a private network, written out in configuration:
   * the sandbox, a local model server. Link-local and metadata addresses stay refused. Default: none.
   */
  readonly allowedOrigins?: readonly string[];
  /** When set, only these origins are reached, also by redirect: a connection's own. */
  readonly onlyOrigins?: readonly string[];
  /** Ports of origins that are in neither list. Default: 80 and 443. */
  readonly ports?: readonly number[];
  /** Deadline from the call to the end of the body. Default: 30 s. */
  readonly timeoutMs?: number;
  /** Deadline from the call to the answer's headers. Default: none but `timeoutMs`. */
  readonly firstByteMs?: number;
  /** Limit of the answer's body after decompression. Default: 10 MB. */
  readonly maxBodyBytes?: number;
  /** Default: 5. */
  readonly maxRedirects?: number;
  /** Default: the system's resolver. For tests. */
  readonly lookup?: Lookup;
}

/** A `fetch` with rules; see {@link createGuardedFetch}. Fits wherever a library takes a custom `fetch`. */
export interface GuardedFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Closes all sockets; requests still under way fail. */
  close(): Promise<void>;
}

interface Settings {
  readonly dispatcher: Agent;
  readonly check: (url: URL) => void;
  readonly timeoutMs: number;
  readonly firstByteMs: number | undefined;
  readonly maxBodyBytes: number;
  readonly maxRedirects: number;
}

/**
 * Makes a `fetch` that reaches only what it may: http and https, public addresses, ports 80 and 443, and the origins that
 * the options name. Every address is checked as written, as resolved, and as connected; redirects are followed by hand with
 * the same checks, without credentials on another origin. No proxy is taken from the environment. Request bodies are
 * buffered; answers stream.
 *
 * The errors carry `details.sent`: `"no"` when the request certainly did not leave, `"maybe"` when it may have had its effect.
 * An abort by the caller's own signal rejects with the signal's reason, as `fetch` does.
 *
 * @throws CONFIG_INVALID when an origin is not understood. The calls: EGRESS_REFUSED when a rule forbids it, EGRESS_TIMEOUT
 * when a deadline passed, RESPONSE_TOO_LARGE when the body is over its limit, EGRESS_FAILED when the network failed.
 *
 * @example
 * const http = createGuardedFetch({ allowedOrigins: ["http://127.0.0.1:11434"], timeoutMs: 60_000 });
 * const response = await http("http://127.0.0.1:11434/v1/models");
 * await http.close();
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const policy = createEgressPolicy(options);
  const timeoutMs = options.timeoutMs ?? 30_000;
  // Our own deadlines end a request; undici's would only add a second, coarser clock.
  const dispatcher = new Agent({
    connect: createGuardedConnector({ policy, lookup: options.lookup, connectTimeoutMs: Math.min(timeoutMs, 10_000) }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const settings: Settings = {
    dispatcher,
    check: (url) => checkTarget(policy, url),
    timeoutMs,
    firstByteMs: options.firstByteMs,
    maxBodyBytes: options.maxBodyBytes ?? 10_000_000,
    maxRedirects: options.maxRedirects ?? 5,
  };
  const call = (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
    exchange(settings, input, init);
  return Object.assign(call, { close: () => dispatcher.destroy() });
}

async function exchange(settings: Settings, input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const url = parseTarget(input instanceof Request ? input.url : input);
  const state = startExchange(settings, url, init?.signal ?? (input instanceof Request ? input.signal : null));
  try {
    settings.check(url);
    const { redirect, first } = await readRequest(url, input, init);
    const { hop, response } = await follow(settings, state, redirect, first);
    return toResponse(settings, state, hop, response);
  } catch (thrown) {
    state.end();
    throw toEgressError(thrown, state);
  }
}

/** What is to be sent first, and what is to be done with redirects. */
interface ReadRequest {
  readonly first: Hop;
  readonly redirect: Request["redirect"];
}

async function readRequest(url: URL, input: string | URL | Request, init?: RequestInit): Promise<ReadRequest> {
  const isUsual = init?.method === "POST" && !(input instanceof Request);
  const text = isUsual && typeof init.body === "string" ? init.body : null;
  const read = () => (text === null ? new Request(input, init) : readPosted(text, init));
  const { method, headers, body, redirect } = valid(url, read);
  if (!headers.has("user-agent")) headers.set("user-agent", "sluice");
  const bytes = body instanceof ReadableStream ? new Uint8Array(await new Response(body).arrayBuffer()) : body;
  return { first: { url, method, headers, body: bytes }, redirect };
}

/** As `Request` reads a text that is posted, which takes it longer than sending takes (measured: a tenth of a millisecond). */
function readPosted(text: string, { headers: given, redirect = "follow" }: RequestInit = {}) {
  const headers = new Headers(given);
  if (!headers.has("content-type")) headers.set("content-type", "text/plain;charset=UTF-8");
  return { method: "POST", headers, body: new TextEncoder().encode(text), redirect };
}

/** @throws EGRESS_REFUSED when the platform does not take a request. Its error is left out, because it quotes header values. */
function valid<T>(url: URL, read: () => T): T {
  try {
    return read();
  } catch {
    throw refusal(url.host, "its method, headers or body are not valid", "Look for line breaks in the headers.");
  }
}

function startExchange(settings: Settings, url: URL, caller: AbortSignal | null): Exchange {
  const deadline = new AbortController();
  const expire = (afterMs: number): NodeJS.Timeout =>
    setTimeout(() => deadline.abort(new Error(`no answer within ${afterMs} ms`)), afterMs).unref();
  const whole = expire(settings.timeoutMs);
  const firstByte = settings.firstByteMs === undefined ? undefined : expire(settings.firstByteMs);
  return {
    host: url.host,
    sent: false,
    caller,
    deadline: deadline.signal,
    signal: caller === null ? deadline.signal : AbortSignal.any([caller, deadline.signal]),
    answered: () => clearTimeout(firstByte),
    end() {
      clearTimeout(whole);
      clearTimeout(firstByte);
    },
  };
}

async function follow(
  settings: Settings,
  state: Exchange,
  mode: Request["redirect"],
  first: Hop,
): Promise<{ hop: Hop; response: UndiciResponse }> {
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    state.host = hop.url.host;
    settings.check(hop.url);
    const response = await send(settings, state, hop);
    const target = redirectTarget(response.status, response.headers.get("location"), hop.url);
    if (target === null || mode === "manual") {
      state.answered();
      return { hop, response };
    }
    await response.body?.cancel();
    if (mode === "error") throw refusal(target.host, `${hop.url.host} redirects to it`);
    if (redirects === settings.maxRedirects) {
      throw refusal(target.host, `it is redirect number ${redirects + 1} of at most ${settings.maxRedirects}`);
    }
    hop = followRedirect(hop, response.status, target);
  }
}

function send(settings: Settings, state: Exchange, hop: Hop): Promise<UndiciResponse> {
  return undiciFetch(hop.url, {
    method: hop.method,
    headers: [...hop.headers],
    body: hop.body,
    redirect: "manual",
    signal: state.signal,
    dispatcher: settings.dispatcher.compose(notingStart(state)),
  });
}

/** Notes the moment at which a request is handed to its open socket. Before it, nothing can have happened outside. */
function notingStart(state: Exchange): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const start = handler.onRequestStart?.bind(handler);
    handler.onRequestStart = (controller, context) => {
      state.sent = true;
      start?.(controller, context);
    };
    return dispatch(options, handler);
  };
}

/** Gives the answer as the platform's own `Response`, which is what libraries expect of `fetch`. */
function toResponse(settings: Settings, state: Exchange, hop: Hop, source: UndiciResponse): Response {
  if (source.status > 599) {
    throw new SluiceError("RESPONSE_INVALID", { message: `${hop.url.host} answered with status ${source.status}` });
  }
  const body =
    source.body &&
    capBody(source.body, {
      maxBytes: settings.maxBodyBytes,
      tooLarge: () => toEgressError(tooLarge(hop.url.host, settings.maxBodyBytes), state),
      toError: (thrown) => toEgressError(thrown, state),
      onEnd: state.end,
    });
  if (!body) state.end();
  const { status, statusText } = source;
  const response = new Response(body, { status, statusText, headers: [...source.headers] });
  Object.defineProperty(response, "url", { value: hop.url.href });
  return response;
}

function tooLarge(host: string, maxBodyBytes: number): SluiceError {
  return new SluiceError("RESPONSE_TOO_LARGE", {
    message: `the answer of ${host} is larger than ${maxBodyBytes} bytes`,
    hint: "Ask for less, or page through the list.",
  });
}
