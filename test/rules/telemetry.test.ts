import { Socket } from "node:net";
import { startTestApp } from "sluice/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import config from "../../examples/sluice.config.ts";
import { samples } from "../../examples/lead-routing/samples.ts";
import { listFiles, readJson, readText } from "./files.ts";

const loopback = /^(127\.|::1$|localhost$)/;

/** Hosts that the source may name: those that the operator's own flows call, and those that are nobody's. */
const named = [
  "slack.com",
  "api.hubapi.com",
  "api.openai.com",
  "api.anthropic.com",
  "api.cohere.com",
  "api.mistral.ai",
  "generativelanguage.googleapis.com",
  "my-resource.openai.azure.com",
  "127.0.0.1",
  "localhost",
  "example.com",
];

/** Of the package, but for the stand-ins of outside systems, which make addresses up. */
const sources = listFiles("src/**/*.ts").filter((path) => !/\.test\.ts$|\/fixtures\/|^src\/sandbox\//.test(path));

/** Without the comments: they name the documents that a fact comes from. */
const codeOf = (path: string): string => readText(path).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

const reporters =
  /sentry|posthog|segment|mixpanel|amplitude|bugsnag|datadog|newrelic|rollbar|analytics|telemetry-|exporter/;

afterEach(() => vi.restoreAllMocks());

describe("[R10] nothing is sent home", () => {
  it("by an application that starts, works and stops: it connects to its own machine only", async () => {
    const reached: string[] = [];
    // oxlint-disable-next-line typescript/unbound-method -- called with its socket below
    const { connect } = Socket.prototype;
    vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket, ...given: unknown[]) {
      this.on("lookup", (_error, _address, _family, host) => reached.push(host));
      this.on("connectionAttempt", (address) => reached.push(address));
      return Reflect.apply(connect, this, given) as Socket;
    });
    const test = await startTestApp({ config });
    const run = await test.run("lead-routing", Object.values(samples)[0]!);
    await test.close();
    expect(run.status).toBe("succeeded");
    expect(reached.length).toBeGreaterThan(2);
    expect(reached.filter((host) => !loopback.test(host))).toEqual([]);
  });

  it("by the source, which names no host but those that flows call", () => {
    const found = sources.flatMap((path) =>
      [...codeOf(path).matchAll(/(?<=["'`]https?:\/\/)[\w.-]+/g)].map(([host]) => ({ path, host })),
    );
    expect(found.filter(({ host }) => !named.includes(host))).toEqual([]);
    expect(found.length).toBeGreaterThan(2);
  });

  it("by a library made for it", () => {
    const { packages } = readJson("package-lock.json") as { packages: { [path: string]: { dev?: boolean } } };
    const shipped = Object.keys(packages).filter((path) => path !== "" && !packages[path]?.dev);
    expect(shipped.filter((path) => reporters.test(path))).toEqual([]);
  });
});
