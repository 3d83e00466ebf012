import { randomBytes } from "node:crypto";
import type { SignatureCheck } from "../src/core/index.ts";
import { signSample } from "../src/triggers/index.ts";
import type { Experiment, Outcome, Play } from "./experiment.ts";
import { type Lab, prepareLab } from "./lab.ts";
import type { ServiceProcess } from "./service-process.ts";
import { hooks, publicUrl, rotatedVariable, secretNames } from "./webhooks.config.ts";

/** The oldest retry of Standard Webhooks comes after 75 h; one that comes this late must still be known. */
const agedHours = 70;
/** Beyond the 300 s that the schemes allow. */
const expiredMs = 400_000;
/** Those that say when a delivery was signed. */
const schemesWithTime: ReadonlySet<string> = new Set([
  "standard-webhooks",
  "slack",
  "zendesk",
  "stripe",
  "hubspot-v3",
  "calendly",
]);
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
    const config = new URL("webhooks.config.ts", import.meta.url).href;
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
    const senders = [...hooks].map((hook) => new Sender(hook, `${play.seed}-${round}`, secrets));
    const before = await lab.start();
    for (const sender of senders) sent.push(...(await sender.playBefore(before, play.count)));
    await lab.drained();
    await before.stop();
    await age(lab);
    const after = await lab.start({}, { variables: { [rotatedVariable]: "1" } });
    for (const sender of senders) sent.push(...(await sender.playAfter(after)));
    await lab.drained();
    await after.stop();
    play.tell(
      `round ${round}: ${sent.length} deliveries, ${sent.filter((one) => !isAsWanted(one)).length} not as wanted`,
    );
  }
  return judge(lab, play, sent);
}

/** A delivery, what it should have led to, and what it did. */
interface Sent {
  readonly what: string;
  readonly wanted: Wanted;
  readonly got: Reply;
}

/** `run`: one of its own. `copyOf`: the run of the delivery that it copies. `none`: refused with this code. */
type Wanted = { readonly run: true } | { readonly copyOf: string } | { readonly none: string };

interface Reply {
  readonly status: number;
  readonly runId?: string;
  readonly duplicate?: boolean;
  readonly code?: string;
}

function isAsWanted({ wanted, got }: Sent): boolean {
  if ("run" in wanted) return got.status === 202 && got.duplicate === false;
  if ("copyOf" in wanted) return got.status === 200 && got.duplicate === true && got.runId === wanted.copyOf;
  return got.status === 401 && got.code === wanted.none;
}

/** A signed request. */
interface Delivery {
  readonly body: string;
  readonly headers: { readonly [name: string]: string };
}

/** Whoever sends to one hook. */
class Sender {
  readonly #path: string;
  readonly #check: SignatureCheck;
  readonly #round: string;
  /** The values of its secrets. */
  readonly #newest: string;
  readonly #older: string;
  /** The run of the first genuine delivery. */
  #firstRunId = "";
  #first: Delivery = { body: "", headers: {} };

  constructor(hook: readonly [path: string, check: SignatureCheck], round: string, secrets: Secrets) {
    [this.#path, this.#check] = hook;
    this.#round = round;
    [this.#newest = "", this.#older = ""] = secretNames(this.#path).map((name) => secrets[name]);
  }

  /** While both secrets are live. */
  async playBefore(service: ServiceProcess, copies: number): Promise<Sent[]> {
    this.#first = this.#sign("genuine", this.#newest);
    const genuine = await this.#send(service, "genuine", { run: true }, this.#first);
    this.#firstRunId = genuine.got.runId ?? "";
    return [
      genuine,
      await this.#send(service, "replayed", { copyOf: this.#firstRunId }, this.#first),
      ...(await this.#forge(service)),
      await this.#send(service, "signed by the old secret", { run: true }, this.#sign("old", this.#older)),
      ...(await this.#copy(service, copies)),
    ];
  }

  /** 70 h later, and with the old secret removed. */
  async playAfter(service: ServiceProcess): Promise<Sent[]> {
    const copy = { copyOf: this.#firstRunId };
    return [
      await this.#send(service, "signed anew at 70 h", copy, this.#sign("genuine", this.#newest)),
      await this.#send(service, "replayed after a restart", copy, this.#first),
      await this.#send(service, "signed by a removed secret", refused("INVALID"), this.#sign("removed", this.#older)),
      await this.#send(service, "genuine, later", { run: true }, this.#sign("later", this.#newest)),
    ];
  }

  async #forge(service: ServiceProcess): Promise<Sent[]> {
    const { body } = this.#first;
    const { "content-type": type = "", "webhook-id": id, ...signed } = this.#first.headers;
    const forged: [what: string, delivery: Delivery, code: string][] = [
      ["signed by a strange secret", this.#sign("strange", strange), "INVALID"],
      ["without a signature", { body, headers: { "content-type": type } }, "MISSING"],
    ];
    // A bearer token covers nothing but itself.
    if (this.#path !== "bearer") {
      const other = this.#sign("other body", this.#newest);
      forged.push(["with the signature of another body", { ...this.#first, body: other.body }, "INVALID"]);
      forged.push(["with a byte more", { ...this.#first, body: `${body} ` }, "INVALID"]);
    }
    if (schemesWithTime.has(this.#path)) {
      const [past, future] = [new Date(Date.now() - expiredMs), new Date(Date.now() + expiredMs)];
      forged.push(["from the past", this.#sign("past", this.#newest, past), "EXPIRED"]);
      forged.push(["from the future", this.#sign("future", this.#newest, future), "EXPIRED"]);
    }
    if (id !== undefined)
      forged.push(["without its id", { body, headers: { "content-type": type, ...signed } }, "MISSING"]);
    const sent: Sent[] = [];
    for (const [what, delivery, code] of forged) sent.push(await this.#send(service, what, refused(code), delivery));
    return sent;
  }

  /** All at once: `fetch` opens a connection for each. */
  async #copy(service: ServiceProcess, copies: number): Promise<Sent[]> {
    const delivery = this.#sign("copied", this.#newest);
    const what = `one of ${copies} copies at once`;
    const sent = await Promise.all(
      Array.from({ length: copies }, () => this.#send(service, what, { run: true }, delivery)),
    );
    const first = sent.find(({ got }) => got.duplicate === false);
    const wanted = { copyOf: first?.got.runId ?? "" };
    return sent.map((one) => (one === first ? one : { ...one, wanted }));
  }

  #sign(name: string, secret: string, sentAt = new Date()): Delivery {
    const id = `${this.#path}-${this.#round}-${name.replaceAll(/\W+/g, "-")}`;
    const event = { id, event_id: id, eventId: id };
    const body = JSON.stringify(this.#path === "hubspot-v3" ? [event] : event);
    const url = `${publicUrl}/hooks/${this.#path}`;
    return { body, headers: signSample(this.#check, secret, { body, sentAt, deliveryId: id, url }) };
  }

  async #send(service: ServiceProcess, what: string, wanted: Wanted, delivery: Delivery): Promise<Sent> {
    const response = await fetch(`${service.publicUrl}/hooks/${this.#path}`, { method: "POST", ...delivery });
    const answer = (await response.json()) as Omit<Reply, "status">;
    return { what: `${this.#path}, ${what}`, wanted, got: { ...answer, status: response.status } };
  }
}

function refused(code: string): Wanted {
  return { none: `SIGNATURE_${code}` };
}

/** Makes everything that was ever stored older. */
async function age(lab: Lab): Promise<void> {
  const text = `update sluice.events set received_at = received_at - interval '${agedHours} hours',
    last_duplicate_at = last_duplicate_at - interval '${agedHours} hours'`;
  const runs = ["queued_at", "started_at", "finished_at"].map(
    (column) => `${column} = ${column} - interval '${agedHours} hours'`,
  );
  await lab.withDatabase(async (database) => {
    await database.query(text);
    await database.query(`update sluice.runs set ${runs.join(", ")}`);
  });
}

async function judge(lab: Lab, play: Play, sent: readonly Sent[]): Promise<Outcome> {
  const started = sent.filter(({ wanted }) => "run" in wanted).map(({ got }) => got.runId);
  const stored = await lab.withDatabase((database) =>
    database.query<{ id: string; status: string; steps: number }>(
      `select id, status, (select count(*)::integer from sluice.steps where run_id = runs.id) as steps from sluice.runs`,
    ),
  );
  const violations = [
    ...sent.filter((one) => !isAsWanted(one)).map(({ what, got }) => `${what}: answered ${JSON.stringify(got)}`),
    ...(new Set(started).size === started.length ? [] : ["two genuine deliveries got the same run"]),
    ...(stored.length === started.length
      ? []
      : [`there are ${stored.length} runs of ${started.length} genuine deliveries`]),
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
