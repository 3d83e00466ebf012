import type { AppOptions } from "../app.ts";
import type { Config } from "../config.ts";
import { UsageError } from "./failure.ts";
import type { CommandContext } from "./project.ts";

/** Where the listeners are, as the command line says. */
export interface ListenOptions {
  readonly publicHost?: string;
  readonly publicPort?: string;
  readonly adminHost?: string;
  readonly adminPort?: string;
  /** Address under which people reach the dashboard, when something stands before it. */
  readonly adminUrl?: string;
}

/**
 * Where to listen: by option, else by variable, else as the server does.
 *
 * Cookies are marked secure when people reach the dashboard by https: as the admin URL says, or, when there is none, the
 * public URL.
 *
 * @throws UsageError for a port or an address that is none.
 */
export function toListen(
  options: ListenOptions,
  environment: CommandContext["environment"],
  config: Config,
): NonNullable<AppOptions["listen"]> {
  const hosts = {
    publicHost: options.publicHost ?? environment["SLUICE_PUBLIC_HOST"],
    adminHost: options.adminHost ?? environment["SLUICE_ADMIN_HOST"],
  };
  const ports = {
    publicPort: toPort("--public-port", options.publicPort ?? environment["SLUICE_PUBLIC_PORT"]),
    adminPort: toPort("--admin-port", options.adminPort ?? environment["SLUICE_ADMIN_PORT"]),
  };
  const adminUrl = adminUrlOf(options, environment);
  const seenUrl = adminUrl ?? environment["SLUICE_PUBLIC_URL"] ?? "";
  return {
    ...withoutUnset({ ...hosts, ...ports }),
    secureCookies: URL.parse(seenUrl)?.protocol === "https:",
    ...(adminUrl !== undefined && { allowedHosts: [...(config.allowedHosts ?? []), new URL(adminUrl).host] }),
  };
}

/** The address that people use for the dashboard, without a slash at the end. @throws UsageError when it is none. */
export function adminUrlOf(options: ListenOptions, environment: CommandContext["environment"]): string | undefined {
  const text = options.adminUrl ?? environment["SLUICE_ADMIN_URL"];
  if (!text) return undefined;
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search && !url.hash) return url.origin;
  throw new UsageError(
    `the admin URL ${JSON.stringify(text)} is not an address`,
    "Write the dashboard's address without a path, such as https://sluice.example.com.",
  );
}

/** Refuses options about listening for a process that listens nowhere. @throws UsageError */
export function refuseListening(options: ListenOptions): void {
  const { publicHost, publicPort, adminHost, adminPort, adminUrl } = options;
  const given = { publicHost, publicPort, adminHost, adminPort, adminUrl };
  const [name] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (name === undefined) return;
  throw new UsageError(
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --role worker`,
    "A worker listens nowhere; leave it out.",
  );
}

function toPort(option: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port <= 65_535) return port;
  const variable = `SLUICE_${option.slice(2).toUpperCase().replace("-", "_")}`;
  throw new UsageError(
    `${option} ${JSON.stringify(text)} is no port`,
    `Give a number from 0 (any free port) to 65535, as ${option} or in the variable ${variable}.`,
  );
}

function withoutUnset<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== "")) as never;
}
