import type { Json } from "../core/index.ts";
import { channelIdOf } from "./slack-channel.ts";

/** A message as Slack's stand-in keeps it. */
export interface SlackMessage {
  /** Channel id, such as `C0A1B2C3D4E`. */
  readonly channel: string;
  /** Without `#`. */
  readonly channelName: string;
  /** Slack's name of the message in its channel: seconds and microseconds, such as `1760000000.000100`. */
  readonly ts: string;
  readonly text: string;
  readonly blocks: Json;
  readonly attachments: Json;
  readonly metadata: Json;
  /** `ts` of the message that this one answers. */
  readonly threadTs: string | null;
  /** The key that the call carried; a second message with the same key is a double. */
  readonly idempotencyKey: string | null;
}

/** A contact as HubSpot's stand-in keeps and answers it. */
export interface HubspotContact {
  readonly id: string;
  /** HubSpot gives every value as a string. */
  readonly properties: { readonly [name: string]: string | null };
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly archived: boolean;
}

/** A property that contacts may have. */
export interface HubspotProperty {
  readonly name: string;
  readonly label: string;
  readonly type: "string" | "number" | "bool" | "enumeration" | "date" | "datetime";
  readonly fieldType: string;
  readonly groupName: string;
  readonly options: readonly { readonly label: string; readonly value: string }[];
  readonly readOnly: boolean;
}

/** A file uploaded to OpenAI's stand-in. */
export interface ModelFile {
  readonly id: string;
  readonly filename: string;
  readonly purpose: string;
  readonly text: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A batch of model requests. What it looks like at a time follows from this alone: see `phaseOf`. */
export interface ModelBatch {
  readonly id: string;
  readonly system: "openai" | "anthropic";
  readonly requests: readonly BatchRequest[];
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601: when it ends by itself. */
  readonly endsAt: string;
  readonly cancelledAt: string | null;
  /** How it ends by itself. `failed`: its input is not valid, no request is answered. `expired`: half of them are. */
  readonly fate: "completed" | "expired" | "failed";
  /** Which part of its requests fails, from 0 to 1. */
  readonly failingShare: number;
  /** What OpenAI's batches have besides; null for others. */
  readonly origin: { readonly endpoint: string; readonly inputFileId: string; readonly metadata: Json } | null;
}

/** One request of a batch. */
export interface BatchRequest {
  readonly customId: string;
  /** Path of the API that answers it, such as `/v1/chat/completions`. */
  readonly url: string;
  readonly body: Json;
}

/** A change of a stand-in's state. The state is rebuilt by applying the effects of the record in order. */
export type SandboxEffect =
  | { readonly kind: "slack.message.posted"; readonly message: SlackMessage }
  | { readonly kind: "hubspot.contact.created"; readonly contact: HubspotContact }
  | { readonly kind: "hubspot.contact.updated"; readonly contact: HubspotContact }
  | { readonly kind: "hubspot.property.created"; readonly property: HubspotProperty }
  | { readonly kind: "model.file.uploaded"; readonly file: ModelFile }
  | { readonly kind: "model.file.deleted"; readonly id: string }
  | { readonly kind: "model.batch.created"; readonly batch: ModelBatch }
  | { readonly kind: "model.batch.cancelled"; readonly batch: ModelBatch }
  | { readonly kind: "model.batch.deleted"; readonly id: string };

/** A channel of Slack's stand-in. */
export interface SlackChannel {
  readonly id: string;
  readonly name: string;
}

/** What the stand-ins know. Changed only by {@link SandboxState.apply}. */
export class SandboxState {
  readonly messages: SlackMessage[] = [];
  readonly contacts = new Map<string, HubspotContact>();
  /** Custom properties by name. */
  readonly properties = new Map<string, HubspotProperty>();
  readonly files = new Map<string, ModelFile>();
  readonly batches = new Map<string, ModelBatch>();
  /** Ids of deleted files, also of those that a batch wrote. */
  readonly deletedFiles = new Set<string>();
  readonly #messagesByChannel = new Map<string, SlackMessage[]>();
  readonly #channels = new Map<string, SlackChannel>();
  readonly #contactIdsByEmail = new Map<string, string>();
  #lastTsMicros = 0;

  constructor() {
    this.#addChannel({ id: channelIdOf("general"), name: "general" });
  }

  apply(effect: SandboxEffect): void {
    if (effect.kind === "slack.message.posted") this.#addMessage(effect.message);
    else if (effect.kind === "hubspot.property.created") this.properties.set(effect.property.name, effect.property);
    else if ("contact" in effect) this.#saveContact(effect.contact);
    else if ("file" in effect) this.files.set(effect.file.id, effect.file);
    else if ("batch" in effect) this.batches.set(effect.batch.id, effect.batch);
    else if (effect.kind === "model.batch.deleted") this.batches.delete(effect.id);
    else this.#deleteFile(effect.id);
  }

  channels(): readonly SlackChannel[] {
    return [...this.#channels.values()];
  }

  channel(id: string): SlackChannel | undefined {
    return this.#channels.get(id);
  }

  /** Messages of a channel, the oldest first. */
  messagesIn(channel: string): readonly SlackMessage[] {
    return this.#messagesByChannel.get(channel) ?? [];
  }

  /** The next `ts`: the time given, or a microsecond after the last, so that no two messages share one. */
  nextTs(at: Date): string {
    const micros = Math.max(at.getTime() * 1000, this.#lastTsMicros + 1);
    return `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, "0")}`;
  }

  contactByEmail(email: string): HubspotContact | undefined {
    const id = this.#contactIdsByEmail.get(email.toLowerCase());
    return id === undefined ? undefined : this.contacts.get(id);
  }

  /** Ids start at 101, as those of a new HubSpot account do not start at 1 either. */
  nextContactId(): string {
    return String(101 + this.contacts.size);
  }

  #addChannel(channel: SlackChannel): void {
    this.#channels.set(channel.id, channel);
    this.#messagesByChannel.set(channel.id, []);
  }

  #addMessage(message: SlackMessage): void {
    if (!this.#channels.has(message.channel)) this.#addChannel({ id: message.channel, name: message.channelName });
    this.messages.push(message);
    this.#messagesByChannel.get(message.channel)?.push(message);
    this.#lastTsMicros = Math.max(this.#lastTsMicros, toMicros(message.ts));
  }

  #deleteFile(id: string): void {
    this.files.delete(id);
    this.deletedFiles.add(id);
  }

  #saveContact(contact: HubspotContact): void {
    const before = this.contacts.get(contact.id)?.properties["email"];
    if (before) this.#contactIdsByEmail.delete(before);
    this.contacts.set(contact.id, contact);
    const email = contact.properties["email"];
    if (email) this.#contactIdsByEmail.set(email, contact.id);
  }
}

/** Microseconds of a Slack `ts`, as a whole number (exact: they are below 2^53 until the year 2255). NaN when it is none. */
export function toMicros(ts: string): number {
  const match = /^(\d{1,10})(?:\.(\d{1,6}))?$/.exec(ts);
  return match ? Number(match[1]) * 1_000_000 + Number((match[2] ?? "").padEnd(6, "0")) : NaN;
}
