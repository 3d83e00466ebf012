import type { WebClient } from "@slack/web-api";
import { z } from "zod";
import { isRecord, type JsonObject, type SecretReference, SluiceError } from "../../core/index.ts";
import {
  type ActionContext,
  defineAction,
  defineConnection,
  type DescribedConnection,
  toVendorError,
  type VendorErrorCode,
} from "../index.ts";

/** A message to a channel. */
export interface SlackMessage {
  /** Id (`C0123456789`) or name (`#leads`) of the channel. The app must be a member of a private one. */
  readonly channel: string;
  /** Also the fallback of `blocks` in notifications. At most 40,000 characters. */
  readonly text: string;
  /**
   * `plain`: links, mentions and `<!channel>` in the text are shown as they stand, so that received text cannot call people.
   * `mrkdwn`: they work; only for text of your own. Default: `plain`.
   */
  readonly format?: "plain" | "mrkdwn" | undefined;
  /** Block Kit blocks. @see https://docs.slack.dev/reference/block-kit/blocks */
  readonly blocks?: readonly JsonObject[] | undefined;
  /** `ts` of the message to answer in a thread. */
  readonly threadTs?: string | undefined;
}

/** Where a posted message is. */
export interface SlackPosted {
  /** Id of the channel. */
  readonly channel: string;
  /** Slack's name of the message within its channel. */
  readonly ts: string;
}

/** An account of Slack. Each function is a durable step of the run that calls it. */
export interface SlackConnection extends DescribedConnection {
  /**
   * Posts a message, once: a repeat after a lost answer first looks for the message by its key and gives that one.
   *
   * @throws ACTION_REJECTED with Slack's code in `details.vendorCode`, such as `channel_not_found`; EFFECT_IN_DOUBT when a repeat
   * cannot look, for want of the history scopes; and as every action.
   */
  readonly postMessage: (message: SlackMessage) => Promise<SlackPosted>;
}

/** What {@link slackConnection} takes. */
export interface SlackConnectionOptions {
  /** Default: `slack`. */
  readonly name?: string;
  /**
   * Bot token. Scopes: `chat:write`, and for looking before a repeat `channels:history` and `channels:read` (private channels:
   * `groups:history` and `groups:read`).
   */
  readonly token: SecretReference;
}

/** Event type of the metadata that marks our messages with their idempotency key. */
const markerType = "sluice_effect";

/** How far Slack's clock may be behind ours. */
const clockMarginMs = 5 * 60_000;

/** Pages of at most 200 messages that are looked through before a repeat. */
const maxPages = 50;

const postMessage = defineAction<SlackMessage, SlackPosted>({
  description: "Posts a message to a channel or thread.",
  effect: "write",
  idempotency: "lookup",
  input: z.object({
    channel: z.string().min(1).max(100),
    text: z.string().min(1).max(40_000),
    format: z.enum(["plain", "mrkdwn"]).optional(),
    blocks: z.array(z.record(z.string(), z.json())).max(50).optional(),
    threadTs: z.string().optional(),
  }),
  output: z.object({ channel: z.string(), ts: z.string() }),
  perform: (context, message) =>
    withClient(context, (client) =>
      client.apiCall("chat.postMessage", {
        channel: message.channel,
        text: message.format === "mrkdwn" ? message.text : escapeText(message.text),
        blocks: message.blocks,
        thread_ts: message.threadTs,
        metadata: { event_type: markerType, event_payload: { idempotency_key: context.idempotencyKey } },
      }),
    ),
  lookup: (context, message, { firstTriedAt }) =>
    withClient(context, async (client) => {
      const channel = await channelIdOf(client, context, message.channel);
      if (channel === undefined) return undefined;
      const method = message.threadTs === undefined ? "conversations.history" : "conversations.replies";
      const found = await findInPages(client, context, method, {
        key: "messages",
        matches: (item) => isMarked(item, context.idempotencyKey),
        query: {
          channel,
          ts: message.threadTs,
          oldest: String((firstTriedAt.getTime() - clockMarginMs) / 1000),
          include_all_metadata: true,
        },
      });
      return found && { channel, ts: found["ts"] };
    }),
});

/**
 * Declares an account of Slack.
 *
 * @throws CONFIG_INVALID when the name is not usable.
 *
 * @example
 * export const slack = slackConnection({ token: secret("SLACK_BOT_TOKEN") });
 * await slack.postMessage({ channel: "#leads", text: "A lead came in" });
 */
export function slackConnection(options: SlackConnectionOptions): SlackConnection {
  return defineConnection({
    name: options.name ?? "slack",
    connector: "slack",
    baseUrl: "https://slack.com/api/",
    secrets: { token: options.token },
    actions: { postMessage },
  });
}

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const ignore = (): void => undefined;

/** Calls Slack's own client: without its retries, its waiting and its log, which would quote the message. */
async function withClient<T>(context: ActionContext, use: (client: WebClient) => Promise<T>): Promise<T> {
  const { WebClient, LogLevel } = await import("@slack/web-api");
  const client = new WebClient(context.secret("token").reveal(), {
    slackApiUrl: context.baseUrl,
    allowAbsoluteUrls: false,
    rejectRateLimitedCalls: true,
    retryConfig: { retries: 0 },
    fetch: async (url, init) => {
      const response = await context.fetch(url, init);
      if (response.status === 200) return response;
      throw toVendorError({ what: context.what, status: response.status, headers: response.headers });
    },
    logger: {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: ignore,
      setLevel: ignore,
      setName: ignore,
      getLevel: () => LogLevel.ERROR,
    },
  });
  return use(client).catch((thrown: unknown) => {
    throw fromSlackError(context, thrown);
  });
}

/** Slack's codes of a refusal that comes with status 200. @see https://docs.slack.dev/reference/methods/chat.postMessage#errors */
const classes = new Map<string, VendorErrorCode>([
  ...over(
    "CONNECTION_AUTH_FAILED",
    "invalid_auth not_authed account_inactive token_revoked token_expired missing_scope",
  ),
  ...over("CONNECTION_AUTH_FAILED", "no_permission not_allowed_token_type org_login_required ekm_access_denied"),
  ...over("ACTION_RATE_LIMITED", "ratelimited rate_limited"),
  ...over("ACTION_UNAVAILABLE", "internal_error fatal_error service_unavailable request_timeout"),
]);

function over(code: VendorErrorCode, vendorCodes: string): [string, VendorErrorCode][] {
  return vendorCodes.split(" ").map((vendorCode) => [vendorCode, code]);
}

function fromSlackError(context: ActionContext, thrown: unknown): unknown {
  // Slack's client wraps what its fetch throws: our own errors come back as they were.
  if (thrown instanceof Error && "original" in thrown) return thrown.original;
  if (!(thrown instanceof Error) || !("data" in thrown) || !isRecord(thrown.data)) return thrown;
  const { error: vendorCode, response_metadata: metadata } = thrown.data;
  if (typeof vendorCode !== "string" || !/^[a-z0-9_]{1,80}$/.test(vendorCode)) {
    // Where the body is not Slack's JSON, the client gives the whole body as the code.
    return new SluiceError("RESPONSE_INVALID", {
      message: `${context.what} was answered with something other than Slack's JSON`,
      hint: "If it goes on, check the connection's base URL; a proxy may have answered in Slack's place.",
      retryable: true,
    });
  }
  const waitSeconds = isRecord(metadata) ? metadata["retryAfter"] : undefined;
  return toVendorError({
    what: context.what,
    status: 200,
    headers: new Headers(),
    vendorCode,
    code: classes.get(vendorCode) ?? "ACTION_REJECTED",
    retryAfterMs: typeof waitSeconds === "number" ? waitSeconds * 1000 : undefined,
  });
}

/** Undefined when the app sees no such channel: then it has not posted there either. */
async function channelIdOf(client: WebClient, context: ActionContext, channel: string): Promise<string | undefined> {
  // Slack's ids are capitals and digits, names are lower case.
  if (/^[CGD][A-Z0-9]{6,}$/.test(channel)) return channel;
  const name = channel.replace(/^#/, "");
  // Public ones first: an app without the scope for private ones is refused a list of both.
  for (const types of ["public_channel", "private_channel"]) {
    const matches = (item: Record<string, unknown>): boolean => item["name"] === name;
    const found = await findInPages(client, context, "conversations.list", {
      key: "channels",
      matches,
      query: { types },
    });
    if (typeof found?.["id"] === "string") return found["id"];
  }
  return undefined;
}

interface PageSearch {
  /** Where a page has its items. */
  readonly key: string;
  readonly matches: (item: Record<string, unknown>) => boolean;
  readonly query: Record<string, unknown>;
}

/** @throws RESPONSE_INVALID when there are more pages than are looked through. */
async function findInPages(
  client: WebClient,
  context: ActionContext,
  method: string,
  search: PageSearch,
): Promise<Record<string, unknown> | undefined> {
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer: Record<string, unknown> & { response_metadata?: { next_cursor?: string } } = {
      ...(await client.apiCall(method, { ...search.query, limit: 200, cursor })),
    };
    const items = answer[search.key];
    const found = Array.isArray(items) && items.filter(isRecord).find(search.matches);
    if (found) return found;
    cursor = answer.response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  throw new SluiceError("RESPONSE_INVALID", { message: `${context.what}: ${method} has over ${maxPages} pages` });
}

function isMarked(message: Record<string, unknown>, key: string): boolean {
  const { metadata } = message;
  if (!isRecord(metadata) || metadata["event_type"] !== markerType) return false;
  return isRecord(metadata["event_payload"]) && metadata["event_payload"]["idempotency_key"] === key;
}
