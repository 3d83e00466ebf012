import type { WebhookTrigger } from "../../core/index.ts";
import { resolveSecret } from "../../connect/index.ts";
import { checkSecrets } from "../../triggers/index.ts";
import type { Config } from "../../config.ts";
import { type Check, failing, type Finding, ok, type Subject, toFinding, warning } from "./check.ts";

/** Whether the secrets of hooks and connections are set, and those of hooks are of the form that their scheme takes. */
export const secretsCheck: Check = {
  name: "secrets",
  async look({ config, environment }) {
    if (!config) return [];
    const needed = neededSecrets(config);
    const isSet = (name: string): boolean => Boolean(environment[name]?.trim());
    const missing = [...needed].filter(([name]) => !isSet(name));
    const set = [...needed.keys()].filter(isSet);
    return [
      ...(set.length > 0 ? [ok(`set: ${set.join(", ")}`)] : []),
      ...missing.map(([name, user]) => failing(`${name} is not set; ${user} needs it`, missingHint)),
      ...(await checkForms(config, environment)),
      ...findUnsigned(config),
      ...(config.connections ? [] : [notListed]),
    ];
  },
};

const missingHint = "Set it in the environment, or in .env beside the configuration. sluice dev works without it.";

const notListed = warning(
  "the configuration lists no connections, so their secrets are not checked",
  "Name them: defineConfig({ flows, connections: [...] }).",
);

/** The flows that webhooks start. */
function hooksOf(flows: Config["flows"]): { readonly name: string; readonly trigger: WebhookTrigger }[] {
  return flows.flatMap(({ name, trigger }) => (trigger.kind === "webhook" ? [{ name, trigger }] : []));
}

/** The names of all secrets, each with who needs it. */
function neededSecrets({ flows, connections = [] }: Config): Map<string, string> {
  const needed = new Map<string, string>();
  for (const { name, trigger } of hooksOf(flows)) {
    const secrets = "secrets" in trigger.verify ? trigger.verify.secrets : [];
    for (const { secret } of secrets) needed.set(secret, `the hook of flow ${name}`);
  }
  for (const { connection } of connections)
    for (const { secret } of connection.secrets) needed.set(secret, `connection ${connection.name}`);
  return needed;
}

async function checkForms({ flows }: Config, environment: Subject["environment"]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { trigger } of hooksOf(flows)) {
    const { verify } = trigger;
    // A missing one is told above.
    if (!("scheme" in verify) || verify.secrets.some(({ secret }) => !environment[secret]?.trim())) continue;
    try {
      await checkSecrets(verify, (reference) => resolveSecret(reference, environment).reveal());
    } catch (thrown) {
      findings.push(toFinding(thrown));
    }
  }
  return findings;
}

function findUnsigned({ flows }: Config): Finding[] {
  return hooksOf(flows)
    .filter(({ trigger }) => !("scheme" in trigger.verify))
    .map(({ name }) =>
      warning(
        `the hook of flow ${name} is unsigned: anyone who reaches it may start runs`,
        'Let its sender sign, with verify: signatures.standardWebhooks(secret("NAME")) or another scheme.',
      ),
    );
}
