import { createServer } from "node:net";
import { createGuardedFetch } from "../../connect/index.ts";
import { isRecord } from "../../core/index.ts";
import { toListen } from "../listen-options.ts";
import { type Check, failing, type Finding, ok } from "./check.ts";

/** Whether the ports are free, or served by Sluice already. */
export const portsCheck: Check = {
  name: "ports",
  look({ environment }) {
    const listen = toListen({}, environment, { flows: [] });
    const { publicHost = "127.0.0.1", publicPort = 4600, adminHost = "127.0.0.1", adminPort = 4601 } = listen;
    return Promise.all([
      checkPort({ use: "webhooks", host: publicHost, port: publicPort, variable: "SLUICE_PUBLIC_PORT" }),
      checkPort({ use: "the dashboard", host: adminHost, port: adminPort, variable: "SLUICE_ADMIN_PORT" }),
    ]);
  },
};

interface Place {
  readonly use: string;
  readonly host: string;
  readonly port: number;
  readonly variable: string;
}

async function checkPort({ use, host, port, variable }: Place): Promise<Finding> {
  const place = `port ${port} of ${host}, for ${use}`;
  const problem = await tryToListen(host, port);
  if (problem === null) return ok(`${place}, is free`);
  if (problem === "EADDRINUSE" && (await isServedBySluice(host, port))) return ok(`${place}, is served by sluice now`);
  return failing(
    problem === "EADDRINUSE" ? `${place}, is in use by another program` : `${place}, cannot be used (${problem})`,
    `Stop that program, or set ${variable} to another port.`,
  );
}

function tryToListen(host: string, port: number): Promise<string | null> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    probe.listen(port, host, () => probe.close(() => resolve(null)));
  });
}

async function isServedBySluice(host: string, port: number): Promise<boolean> {
  // An address that stands for all of this machine's is reached through loopback.
  const reached = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const origin = `http://${reached}:${port}`;
  const fetch = createGuardedFetch({ allowedOrigins: [origin], timeoutMs: 2000, maxRedirects: 0 });
  try {
    const answer: unknown = await (await fetch(`${origin}/healthz`)).json();
    return isRecord(answer) && answer["status"] === "alive";
  } catch {
    // Whatever answers so is not ours.
    return false;
  } finally {
    await fetch.close();
  }
}
