import { isRecord, toJson, type Json, type JsonObject } from "../core/index.ts";
import { bearerToken, type IncomingCall, type Reply } from "./exchange.ts";
import { accepted, refused } from "./slack-answers.ts";
import { channelIdOf } from "./slack-channel.ts";
import { toMicros, type SandboxState, type SlackChannel, type SlackMessage } from "./state.ts";

const team = { id: "T0SANDBOX0", name: "Sandbox", url: "https://sandbox.slack.com/" };
const bot = { id: "B0SLUICE00", appId: "A0SLUICE00", userId: "U0SLUICE00", name: "sluice" };
const members = [
  { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot", is_bot: false },
  { id: bot.userId, name: bot.name, real_name: "Sluice", is_bot: true },
  { id: "U0PRIYA000", name: "priya", real_name: "Priya Sharma", is_bot: false },
  { id: "U0TOMAS000", name: "tomas", real_name: "Tomas Novak", is_bot: false },
];
/** @see https://docs.slack.dev/reference/methods/chat.postMessage */
const maxTextLength = 40_000;
/** The most that conversations.history gives at once. */
const maxPageSize = 999;

/** The arguments of a Web API call: the query and the form or JSON body as one, values that were JSON text parsed. */
type Arguments = { readonly [name: string]: Json };
type Method = (args: Arguments, call: IncomingCall, state: SandboxState) => Reply;

const methods = new Map<string, Method>(
  Object.entries({
    "auth.test": () =>
      accepted({
        url: team.url,
        team: team.name,
        user: bot.name,
        team_id: team.id,
        user_id: bot.userId,
        bot_id: bot.id,
        is_enterprise_install: false,
      }),
    "chat.postMessage": postMessage,
    "conversations.history": history,
    "conversations.list": (args: Arguments, _call: IncomingCall, state: SandboxState) =>
      paged(args, state.channels().toSorted(byId), (channels) => ({ channels: channels.map(toWireChannel) })),
    "users.list": (args: Arguments) =>
      paged(args, members, (page) => ({
        members: page.map((member) => ({ ...member, team_id: team.id, deleted: false })),
      })),
  } satisfies Record<string, Method>),
);

/**
 * Slack's Web API: `auth.test`, `chat.postMessage`, `conversations.history`, `conversations.list`, `users.list`.
 *
 * A channel named with `#`, or by an id, exists as soon as it is used; any other name is `channel_not_found`.
 *
 * @see https://docs.slack.dev/reference/methods
 */
export function answerSlack(call: IncomingCall, state: SandboxState, token: string): Reply {
  const method = methods.get(call.resource);
  if (method === undefined) return refused("unknown_method", { req_method: call.resource });
  if (call.bodyState === "broken") return refused("invalid_json");
  const args = toArguments(call);
  const given = bearerToken(call) ?? textOf(args, "token");
  if (given === undefined) return refused("not_authed");
  if (given !== token) return refused("invalid_auth");
  return method(args, call, state);
}

/** The idempotency key of a call: Slack has no header for it, so that a connector carries it in the message's metadata. */
export function slackKeyOf(body: Json): string | null {
  const metadata = isRecord(body) ? parsedIfText(toJson(body["metadata"])) : null;
  const payload = isRecord(metadata) ? metadata["event_payload"] : null;
  const key = isRecord(payload) ? payload["idempotency_key"] : null;
  return typeof key === "string" ? key : null;
}

function postMessage(args: Arguments, call: IncomingCall, state: SandboxState): Reply {
  const channel = findOrNameChannel(textOf(args, "channel") ?? "", state);
  const text = textOf(args, "text") ?? "";
  const [blocks, attachments] = [listOf(args, "blocks"), listOf(args, "attachments")];
  const metadata = args["metadata"] ?? null;
  if (channel === undefined) return refused("channel_not_found");
  if (text === "" && blocks.length === 0 && attachments.length === 0) return refused("no_text");
  if (text.length > maxTextLength) return refused("msg_too_long");
  if (metadata !== null && !isMetadata(metadata)) return refused("invalid_metadata_format");
  const message: SlackMessage = {
    channel: channel.id,
    channelName: channel.name,
    ts: state.nextTs(call.at),
    text,
    blocks,
    attachments,
    metadata,
    threadTs: textOf(args, "thread_ts") ?? null,
    idempotencyKey: call.idempotencyKey,
  };
  const reply = accepted({ channel: channel.id, ts: message.ts, message: toWireMessage(message, true) });
  return { ...reply, effect: { kind: "slack.message.posted", message } };
}

/** Newest first, without answers in threads, as Slack does. */
function history(args: Arguments, _call: IncomingCall, state: SandboxState): Reply {
  const id = textOf(args, "channel") ?? "";
  const cursor = decodeCursor(args, "next_ts:");
  const [oldest, latest] = [microsOf(args, "oldest", 0), microsOf(args, "latest", Infinity)];
  if (!isChannelId(id)) return refused("channel_not_found");
  if (cursor === null) return refused("invalid_cursor");
  if (Number.isNaN(oldest)) return refused("invalid_ts_oldest");
  if (Number.isNaN(latest)) return refused("invalid_ts_latest");
  const inclusive = isSet(args, "inclusive");
  const from = cursor === undefined ? Infinity : toMicros(cursor);
  const found = state
    .messagesIn(id)
    .toReversed()
    .filter(({ ts, threadTs }) => {
      const micros = toMicros(ts);
      const inRange = inclusive ? micros >= oldest && micros <= latest : micros > oldest && micros < latest;
      return threadTs === null && micros <= from && inRange;
    });
  return toHistoryPage(found, args);
}

function toHistoryPage(found: readonly SlackMessage[], args: Arguments): Reply {
  const limit = pageSizeOf(args);
  const next = found[limit];
  const withMetadata = isSet(args, "include_all_metadata");
  return accepted({
    messages: found.slice(0, limit).map((message) => toWireMessage(message, withMetadata)),
    has_more: next !== undefined,
    pin_count: 0,
    response_metadata: { next_cursor: next === undefined ? "" : encodeCursor(`next_ts:${next.ts}`) },
  });
}

function microsOf(args: Arguments, name: string, fallback: number): number {
  const ts = textOf(args, name);
  return ts === undefined ? fallback : toMicros(ts);
}

/** One page of a list, with a cursor that names the first item of the next page. */
function paged<Item extends { id: string }>(
  args: Arguments,
  items: readonly Item[],
  toBody: (page: readonly Item[]) => JsonObject,
): Reply {
  const cursor = decodeCursor(args, "id:");
  const start = cursor === undefined ? 0 : items.findIndex((item) => item.id === cursor);
  if (cursor === null || start < 0) return refused("invalid_cursor");
  const limit = pageSizeOf(args);
  const next = items[start + limit];
  const next_cursor = next === undefined ? "" : encodeCursor(`id:${next.id}`);
  return accepted({ ...toBody(items.slice(start, start + limit)), response_metadata: { next_cursor } });
}

function pageSizeOf(args: Arguments): number {
  const limit = Number(textOf(args, "limit") ?? 100);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, maxPageSize) : 100;
}

const encodeCursor = (text: string) => Buffer.from(text).toString("base64");

/** What the cursor names; undefined without one, null for one that we did not make. */
function decodeCursor(args: Arguments, prefix: string): string | undefined | null {
  const cursor = textOf(args, "cursor");
  if (cursor === undefined || cursor === "") return undefined;
  const text = Buffer.from(cursor, "base64").toString();
  return text.startsWith(prefix) ? text.slice(prefix.length) : null;
}

const isChannelId = (text: string) => /^[CGD][A-Z0-9]{8,}$/.test(text);
const byId = (a: SlackChannel, b: SlackChannel) => (a.id < b.id ? -1 : 1);

function findOrNameChannel(text: string, state: SandboxState): SlackChannel | undefined {
  if (isChannelId(text)) return state.channel(text) ?? { id: text, name: text.toLowerCase() };
  const name = /^#([^\s#]{1,80})$/.exec(text)?.[1]?.toLowerCase();
  return name === undefined ? undefined : { id: channelIdOf(name), name };
}

function toWireMessage(message: SlackMessage, withMetadata: boolean): JsonObject {
  return {
    type: "message",
    user: bot.userId,
    bot_id: bot.id,
    app_id: bot.appId,
    team: team.id,
    ts: message.ts,
    text: message.text,
    ...(message.threadTs !== null && { thread_ts: message.threadTs }),
    ...(Array.isArray(message.blocks) && message.blocks.length > 0 && { blocks: message.blocks }),
    ...(Array.isArray(message.attachments) && message.attachments.length > 0 && { attachments: message.attachments }),
    ...(withMetadata && message.metadata !== null && { metadata: message.metadata }),
  };
}

function toWireChannel(channel: SlackChannel): JsonObject {
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_private: false,
    is_archived: false,
    is_general: channel.name === "general",
    is_member: true,
    num_members: members.length,
  };
}

function isMetadata(value: Json): boolean {
  return isRecord(value) && typeof value["event_type"] === "string" && isRecord(value["event_payload"]);
}

/** In a form, Slack takes structured arguments as JSON text. */
function toArguments(call: IncomingCall): Arguments {
  const args: { [name: string]: Json } = { ...Object.fromEntries(call.query), ...(isRecord(call.body) && call.body) };
  for (const name of ["metadata", "blocks", "attachments"]) {
    if (Object.hasOwn(args, name)) args[name] = parsedIfText(args[name] ?? null);
  }
  return args;
}

function parsedIfText(value: Json): Json {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    // Not JSON: the method then refuses the text by its own rule.
    return value;
  }
}

function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name];
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? `${value}`
      : undefined;
}

const isSet = (args: Arguments, name: string) => ["true", "1"].includes(textOf(args, name) ?? "");

function listOf(args: Arguments, name: string): readonly Json[] {
  const value = args[name];
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
