import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createToken, digestOfToken } from "../src/server/auth/token.ts";
import { issueSetupLink } from "../src/server/index.ts";
import { apiKeyPrefix } from "../src/server/auth/caller.ts";
import { type Client, createClient } from "./leak-client.ts";
import { type DetectorServer, startDetector } from "./leak-detector.ts";
import { type Mirror, startMirror } from "./leak-mirror.ts";
import { bearerHookKey, keyNames, mirrorKey, mirrorModes, variables } from "./leak-plan.ts";
import { makePeople, type Person, type Planted } from "./leak-values.ts";
import { type Lab, prepareLab } from "./lab.ts";
import { withWorkspace } from "./model-lab.ts";
import { sealingKey } from "./sealed-content.ts";
import type { ServiceProcess } from "./service-process.ts";
import type { ServiceSettings } from "./service.ts";

const config = new URL("leak.config.ts", import.meta.url);

/** Everything that an experiment with planted values has. */
export interface Stage {
  readonly lab: Lab;
  readonly mirror: Mirror;
  readonly detector: DetectorServer;
  readonly people: readonly [erased: Person, kept: Person];
  readonly secrets: readonly Planted[];
  /** The secret of the hook that takes a bearer token. */
  readonly bearer: string;
  /** Whatever came to be read outside, by the name of the place. */
  readonly heard: Map<string, string>;
  hear(place: string, text: string): void;
  /** Starts a service on the data of the one before. */
  start(overrides?: ServiceSettings["overrides"]): Promise<ServiceProcess>;
  /** Asks a service, as somebody. */
  client(service: ServiceProcess): Client;
  /** What the services have, for commands. */
  readonly environment: { readonly [name: string]: string };
  close(): Promise<void>;
}

/** Opens it: outside systems, planted values, and a first service with people who may use it. */
export async function openStage(seed: number): Promise<Stage & { readonly first: ServiceProcess }> {
  const [mirror, detector] = await Promise.all([startMirror(), startDetector()]);
  const lab = await prepareLab({ seed });
  const closeAll = async (): Promise<void> => {
    await lab.close();
    await Promise.all([mirror.close(), detector.close()]);
  };
  try {
    const bearer = randomBytes(24).toString("base64url");
    const reflected = `mk-${randomBytes(18).toString("hex")}`;
    const { credentials, origin } = lab.sandbox;
    const environment = {
      [bearerHookKey]: bearer,
      [keyNames.openai]: credentials.openaiKey,
      [keyNames.anthropic]: credentials.anthropicKey,
      [keyNames.cohere]: credentials.cohereKey,
      ...Object.fromEntries([...mirrorModes, "echo-object" as const].map((mode) => [mirrorKey(mode), reflected])),
    };
    process.env[variables.sandbox] = origin;
    process.env[variables.mirror] = mirror.origin;
    await mkdir(join(lab.folder, "logs"));
    let started = 0;
    const start: Stage["start"] = (overrides = {}) => {
      const logFile = join(lab.folder, "logs", `service-${(started += 1)}.jsonl`);
      return lab.start({ config: config.href, environment, overrides, logFile });
    };
    const first = await start();
    const identities = await admit(lab, first);
    const heard = new Map<string, string>();
    const hear = (place: string, text: string): void => void heard.set(place, (heard.get(place) ?? "") + text);
    const secrets = [
      plant("secret of the signed hook", lab.hookOf(first).secret),
      plant("secret of the bearer hook", bearer),
      plant("key of OpenAI", credentials.openaiKey),
      plant("key of Anthropic", credentials.anthropicKey),
      plant("key of Cohere", credentials.cohereKey),
      plant("key of the mirror", reflected),
      plant("token of Slack", credentials.slackToken),
      plant("token of HubSpot", credentials.hubspotToken),
      plant("SLUICE_KEY", sealingKey, Buffer.from(sealingKey, "base64").toString("hex")),
      plant("API keys", identities.keys.viewer, identities.keys.auditor, identities.keys.admin),
      plant("session and setup link", identities.sessionToken, identities.setupToken),
      plant("password", identities.password),
    ];
    return {
      lab,
      mirror,
      detector,
      people: makePeople(seed),
      secrets,
      bearer,
      heard,
      hear,
      start,
      first,
      environment: { ...environment, SLUICE_KEY: sealingKey, LEADS_FORM_SECRET: lab.hookOf(first).secret },
      client: ({ adminUrl }) => createClient({ adminUrl, identities: identities.headers, hear }),
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

const plant = (name: string, ...forms: string[]): Planted => ({ name, forms });

const bearerOf = (token: string) => ({ authorization: `Bearer ${token}` });

/** Makes the first user with a setup link, and a key for each role. */
async function admit(lab: Lab, { adminUrl }: ServiceProcess) {
  const password = randomBytes(18).toString("base64url");
  const tokens = {
    viewer: createToken(apiKeyPrefix),
    auditor: createToken(apiKeyPrefix),
    admin: createToken(apiKeyPrefix),
  };
  const link = await withWorkspace(lab.place, async ({ people, apiKeys }) => {
    for (const role of ["viewer", "auditor", "admin"] as const) {
      await apiKeys.create({ id: `key_${role}`, name: role, role, tokenDigest: digestOfToken(tokens[role]) });
    }
    return issueSetupLink(people, adminUrl, new Date());
  });
  const setupToken = new URL(link ?? adminUrl).searchParams.get("token") ?? "";
  const response = await fetch(`${adminUrl}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: adminUrl },
    body: JSON.stringify({ token: setupToken, name: "Robin", email: "robin@example.com", password }),
  });
  const cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  if (response.status !== 201) throw new Error(`the first user was refused: ${await response.text()}`);
  return {
    password,
    setupToken,
    keys: tokens,
    sessionToken: cookie.split("=")[1] ?? "",
    headers: {
      anonymous: {},
      viewer: bearerOf(tokens.viewer),
      auditor: bearerOf(tokens.auditor),
      admin: bearerOf(tokens.admin),
      session: { cookie },
    },
  };
}
