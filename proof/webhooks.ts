import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { signSample } from "../src/triggers/index.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import type { ServiceProcess } from "./service-process.ts";
import { hooks, publicUrl, rotatedVariable, secretNames } from "./webhook-flows.ts";

/** The oldest retry of Standard Webhooks comes after 75 h; one that comes this late must still be known. */
const agedHours = 70;
/** Beyond the 300 s that the schemes allow. */
const expiredMs = 400_000;
/** Known to nobody but the forger. */
const strange = `whsec_${Buffer.alloc(32, "nobody").toString("base64")}`;

/** Sends deliveries that a thief, a broken sender or an impatient one would send, by each signature scheme. */
export const webhooks: Experiment = {
  name: "webhooks",
  number: 14,
  asks: "deliveries forged, replayed, rotated, copied at once, and replayed at 70 h, by eleven signature schemes",
  holdsWhen: "exactly one run for each genuine delivery, none for any other",
  counts: "copies at once",
  usual: { rounds: 1, count: 100 },
  brief: { rounds: 1, count: 100 },
  async run(play) {
    const secrets = Object.fromEntries(
      [...hooks.keys()].flatMap(secretNames).map((name) => [name, `whsec_${randomBytes(32).toString("base64")}`]),
    );
    const config = new URL("webhook-flows.ts", import.meta.url).href;
    const environment = { ...secrets, SLUICE_PUBLIC_URL: publicUrl };
    const lab = await prepareLab({ seed: play.seed, service: { config, environment } });
    try {
      return await playRounds(lab, play, secrets);
    } finally {
      await lab.close();
    }
  },
};

type Secrets = { readonly [name: string]: string };

async function playRounds(lab: Lab, play: Play, secrets: Secrets): Promise<Outcome> {
  const sent: Sent[] = [];
  for (let round = 1; round <= play.rounds; round += 1) {
    const senders = [...hooks.keys()].map((path) => new Sender(path, `${play.seed}-${round}`, secrets));
    const before = await lab.start();
    for (const sender of senders) sent.push(...(await sender.playBefore(before, play.count)));
    await lab.drained();
    await before.stop();
    await age(lab);
    const after = await lab.start({}, { variables: { [rotatedVariable]: "1" } });
    for (const sender of senders) sent.push(...(await sender.playAfter(after)));
    await lab.drained();
    await after.stop();
    play.tell(`round ${round}: ${sent.length} deliveries, ${sent.filter((one) => !isAsWanted(one)).length} not as wanted`);
  }
  return judge(lab, play, sent);
}

/** A delivery, what it should have led to, and what it did. */
interface Sent {
  readonly what: string;
  /** `run`: one of its own. `copy`: the run of the delivery that it copies. `none`: refused with one of the codes. */
  readonly wanted: { readonly run: true } | { readonly copyOf: string } | { readonly none: readonly string[] };
  readonly got: Reply;
}

interface Reply {
  readonly status: number;
  readonly runId?: string;
  readonly duplicate?: boolean;
  readonly code?: string;
}

function isAsWanted({ wanted, got }: Sent): boolean {
  if ("run" in wanted) return got.status === 202 && got.duplicate === false;
  if ("copyOf" in wanted) return got.status === 200 && got.duplicate === true && got.runId === wanted.copyOf;
  return got.status >= 400 && got.status < 500 && wanted.none.includes(got.code ?? "");
}

/** A signed request. */
interface Delivery {
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
}

/** Whoever sends to one hook. */
class Sender {
  readonly #path: string;
  readonly #secrets: Secrets;
  readonly #round: string;
  #first: { readonly delivery: Delivery; readonly runId: string } | null = null;

  constructor(path: string, round: string, secrets: Secrets) {
    this.#path = path;
    this.#round = round;
    this.#secrets = secrets;
  }

  /** While both secrets are live. */
  async playBefore(service: ServiceProcess, copies: number): Promise<Sent[]> {
    const [newest = "", older = ""] = secretNames(this.#path).map((name) => this.#secrets[name]);
    const genuine = this.#sign("genuine", newest);
    const got = await this.#send(service, genuine);
    const runId = got.runId ?? "";
    this.#first = { delivery: genuine, runId };
    const replayed = await this.#send(service, genuine);
    return [
      this.#sent("genuine", { run: true }, got),
      this.#sent("replayed", { copyOf: runId }, replayed),
      ...(await this.#forge(service, genuine)),
      this.#sent("signed by the old secret", { run: true }, await this.#send(service, this.#sign("old", older))),
      ...(await this.#copy(service, this.#sign("copied", newest), copies)),
    ];
  }

  /** 70 h later, and with the old secret removed. */
  async playAfter(service: ServiceProcess): Promise<Sent[]> {
    const [newest = "", older = ""] = secretNames(this.#path).map((name) => this.#secrets[name]);
    const { delivery, runId } = this.#first!;
    const late = this.#sign("genuine", newest);
    const withOld = this.#sign("old, later", older);
    return [
      this.#sent("signed anew at 70 h", { copyOf: runId }, await this.#send(service, late)),
      this.#sent("replayed after a restart", { copyOf: runId }, await this.#send(service, delivery)),
      this.#sent("signed by a removed secret", { none: ["SIGNATURE_INVALID"] }, await this.#send(service, withOld)),
      this.#sent("genuine, later", { run: true }, await this.#send(service, this.#sign("later", newest))),
    ];
  }

  async #forge(service: ServiceProcess, genuine: Delivery): Promise<Sent[]> {
    const [newest = ""] = secretNames(this.#path).map((name) => this.#secrets[name]);
    const forged: [what: string, delivery: Delivery, codes: readonly string[]][] = [
      ["signed by a strange secret", this.#sign("strange", strange), ["SIGNATURE_INVALID"]],
      ["without a signature", { ...genuine, headers: { "content-type": "application/json" } }, ["SIGNATURE_MISSING"]],
    ];
    // A bearer token covers nothing but itself.
    if (this.#path !== "bearer") {
      const other = this.#sign("other body", newest).body;
      forged.push(["with the signature of another body", { ...genuine, body: other }, ["SIGNATURE_INVALID"]]);
      forged.push(["with a byte changed", { ...genuine, body: `${genuine.body} ` }, ["SIGNATURE_INVALID"]]);
    }
    if (this.#hasTime) {
      const [early, late] = [new Date(Date.now() - expiredMs), new Date(Date.now() + expiredMs)];
      forged.push(["from the past", this.#sign("past", newest, early), ["SIGNATURE_EXPIRED"]]);
      forged.push(["from the future", this.#sign("future", newest, late), ["SIGNATURE_EXPIRED"]]);
    }
    if (this.#path === "standard-webhooks") {
      const { "webhook-id": _id, ...headers } = this.#sign("no id", newest).headers;
      forged.push(["without its id", { ...genuine, headers }, ["SIGNATURE_MISSING"]]);
    }
    const sent: Sent[] = [];
    for (const [what, delivery, none] of forged) {
      sent.push(this.#sent(what, { none }, await this.#send(service, delivery)));
    }
    return sent;
  }

  /** All at once, each on a connection of its own. */
  async #copy(service: ServiceProcess, delivery: Delivery, copies: number): Promise<Sent[]> {
    const replies = await Promise.all(Array.from({ length: copies }, () => this.#send(service, delivery)));
    const first = replies.findIndex(({ duplicate }) => duplicate === false);
    const runId = replies[first]?.runId ?? "";
    return replies.map((got, at) =>
      this.#sent(`one of ${copies} copies at once`, at === first ? { run: true } : { copyOf: runId }, got),
    );
  }

  get #hasTime(): boolean {
    return ["standard-webhooks", "slack", "zendesk", "stripe", "hubspot-v3", "calendly"].includes(this.#path);
  }

  #sign(name: string, secret: string, sentAt = new Date()): Delivery {
    const id = `${this.#path}-${this.#round}-${name.replaceAll(/\W+/g, "-")}`;
    const event = { id, event_id: id, eventId: id };
    const body = JSON.stringify(this.#path === "hubspot-v3" ? [event] : event);
    const check = hooks.get(this.#path)!;
    const url = `${publicUrl}/hooks/${this.#path}`;
    return { body, headers: signSample(check, secret, { body, sentAt, deliveryId: id, url }) };
  }

  #send({ publicUrl: address }: ServiceProcess, delivery: Delivery): Promise<Reply> {
    return send(`${address}/hooks/${this.#path}`, delivery);
  }

  #sent(what: string, wanted: Sent["wanted"], got: Reply): Sent {
    return { what: `${this.#path}, ${what}`, wanted, got };
  }
}

/** A connection of its own for each request; fetch would send some of them one after the other. */
function send(url: string, { body, headers }: Delivery): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: "POST", headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, ...(JSON.parse(text) as object) } as Reply));
    });
    sending.on("error", reject).end(body);
  });
}

/** Makes everything that was ever stored older. */
async function age(lab: Lab): Promise<void> {
  const text = `update sluice.events set received_at = received_at - interval '${agedHours} hours',
    last_duplicate_at = last_duplicate_at - interval '${agedHours} hours'`;
  const runs = ["queued_at", "started_at", "finished_at"].map((column) => `${column} = ${column} - interval '${agedHours} hours'`);
  await lab.withDatabase(async ({ query }) => {
    await query(text);
    await query(`update sluice.runs set ${runs.join(", ")}`);
  });
}

async function judge(lab: Lab, play: Play, sent: readonly Sent[]): Promise<Outcome> {
  const started = sent.filter(({ wanted }) => "run" in wanted).map(({ got }) => got.runId);
  const stored = await lab.withDatabase(({ query }) =>
    query<{ id: string; status: string; steps: number }>(
      `select id, status, (select count(*)::integer from sluice.steps where run_id = runs.id) as steps from sluice.runs`,
    ),
  );
  const violations = [
    ...sent.filter((one) => !isAsWanted(one)).map(({ what, got }) => `${what}: answered ${JSON.stringify(got)}`),
    ...(new Set(started).size === started.length ? [] : ["two genuine deliveries got the same run"]),
    ...(stored.length === started.length ? [] : [`there are ${stored.length} runs of ${started.length} genuine deliveries`]),
    ...stored
      .filter(({ status, steps }) => status !== "succeeded" || steps !== 1)
      .map(({ id, status, steps }) => `run ${id} is ${status} with ${steps} steps`),
  ];
  return {
    holds: violations.length === 0,
    rounds: play.rounds,
    figures: {
      schemes: hooks.size,
      deliveries: sent.length,
      genuine: started.length,
      copies: sent.filter(({ wanted }) => "copyOf" in wanted).length,
      refused: sent.filter(({ wanted }) => "none" in wanted).length,
      runs: stored.length,
    },
    violations,
  };
}
