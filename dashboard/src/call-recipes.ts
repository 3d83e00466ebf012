import type { FlowDetailView, Json } from "./api.ts";

/** A way to start a flow from a shell. */
export interface CallRecipe {
  readonly label: string;
  /** What to know before running it. */
  readonly note: string;
  readonly script: string;
}

type WebhookView = Extract<FlowDetailView["trigger"], { kind: "webhook" }>;

/** For a single-quoted shell word. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const hexDigest = `SIGNATURE=$(printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET" | sed 's/.* //')`;

/** How each scheme is signed with openssl: lines before, and the headers. Schemes of vendors are signed by the vendor. */
const signing: {
  readonly [scheme: string]: { readonly lines: readonly string[]; readonly headers: readonly string[] };
} = {
  "standard-webhooks": {
    lines: [
      `ID="msg_$(date +%s)"; TIME=$(date +%s)`,
      `KEY=$(printf '%s' "\${SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')`,
      `SIGNATURE=$(printf '%s' "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)`,
    ],
    headers: ["webhook-id: $ID", "webhook-timestamp: $TIME", "webhook-signature: v1,$SIGNATURE"],
  },
  "hmac-sha256": { lines: [hexDigest], headers: ["x-signature: $SIGNATURE"] },
  github: { lines: [hexDigest], headers: ["x-github-delivery: $(date +%s)", "x-hub-signature-256: sha256=$SIGNATURE"] },
  bearer: { lines: [], headers: ["authorization: Bearer $SECRET"] },
};

function hookRecipe({ scheme, url }: WebhookView, body: string): CallRecipe {
  const known = scheme === null ? { lines: [], headers: [] } : signing[scheme];
  if (!known) {
    return {
      label: "Webhook",
      note: `Deliveries are signed by ${scheme}. Enter this address there, and the same secret as in your configuration.`,
      script: url,
    };
  }
  const headers = ["content-type: application/json", ...known.headers].map((header) => `  -H "${header}"`);
  const secret = scheme === null ? [] : [`SECRET=… # the secret of this trigger`];
  return {
    label: "Webhook",
    note: scheme === null ? "Anyone who can reach the address may do this." : "Signed as the sender would sign it.",
    script: [
      ...secret,
      `BODY=${quoted(body)}`,
      ...known.lines,
      [`curl ${quoted(url)}`, ...headers, `  --data "$BODY"`].join(" \\\n"),
    ].join("\n"),
  };
}

function apiRecipe(flow: FlowDetailView, body: string, origin: string): CallRecipe {
  const lines = [
    `curl ${quoted(`${origin}/api/v1/flows/${flow.name}/runs`)}`,
    `  -H "authorization: Bearer $SLUICE_API_KEY"`,
    `  -H "content-type: application/json"`,
    `  -H "idempotency-key: order-1"`,
    `  --data ${quoted(`{"payload":${body}}`)}`,
  ];
  return {
    label: "API",
    note: "Needs an API key with the role operator (Settings). The same idempotency key starts one run only.",
    script: lines.join(" \\\n"),
  };
}

function commandRecipe({ name }: FlowDetailView, body: string): CallRecipe {
  return {
    label: "Command line",
    note: "On the machine that Sluice runs on; waits for the end and prints the output.",
    script: `printf '%s' ${quoted(body)} | sluice run ${name} --payload -`,
  };
}

/** The ways to start a flow by hand, with its first sample as the payload. */
export function callRecipes(flow: FlowDetailView, origin: string): readonly CallRecipe[] {
  const payload: Json = flow.samples[0]?.payload ?? {};
  const body = JSON.stringify(payload);
  const { trigger } = flow;
  return trigger.kind === "webhook"
    ? [hookRecipe(trigger, body), apiRecipe(flow, body, origin)]
    : [apiRecipe(flow, body, origin), commandRecipe(flow, body)];
}
