import { SluiceError, toSluiceError } from "../../src/core/index.ts";
import { type DemoOptions, helpText, parseOptions } from "./options.ts";
import { createTerminal, print, type Terminal } from "./terminal.ts";

/** Runs the demo as its arguments say; gives the exit code. */
export async function runDemo(argv: readonly string[]): Promise<number> {
  let options: DemoOptions;
  try {
    options = parseOptions(argv);
  } catch (error) {
    const message = error instanceof Error ? error.message.split(". ")[0] : String(error);
    process.stderr.write(`error: ${message}\nhint: see all options with npm run demo -- --help\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(helpText);
    return 0;
  }
  const interrupt = catchSignals();
  try {
    return await play(options, interrupt);
  } catch (error) {
    if (interrupt.aborted) return 130;
    await tellFailure(error, options);
    return 1;
  }
}

/** Fires when the demo is to end in good order. A second signal ends it at once. */
function catchSignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  // Whoever read the story or waited for the document is gone, as with `| head`.
  process.stdout.on("error", () => controller.abort());
  process.stderr.on("error", () => {});
  return controller.signal;
}

async function play(options: DemoOptions, interrupt: AbortSignal): Promise<number> {
  // What is told beside a document may be kept as a log: leads and answers are not quoted there.
  const terminal = options.json ? createTerminal(process.stderr, false) : createTerminal(process.stdout, true);
  terminal.heading("Sluice demo");
  terminal.text(
    "Leads come in by signed webhook, a model analyses them, Slack hears of the hot ones, and the CRM gets them all. " +
      "Slack and the CRM are stand-ins on this computer, and the leads are made up.",
  );
  terminal.gap();
  // Loaded only now, so that there is something to read, and a build under way, meanwhile.
  const loading = import("./session.ts");
  if (!options.once) await prepareDashboard(terminal);
  const { runSession } = await loading;
  interrupt.throwIfAborted();
  return runSession(options, terminal, interrupt);
}

/** The server looks for the pages when it starts, so they must be there by then. */
async function prepareDashboard(terminal: Terminal): Promise<void> {
  const { buildDashboard, isDashboardStale } = await import("./dashboard-build.ts");
  try {
    if (!(await isDashboardStale())) return;
    terminal.event("dashboard", "building its pages (only when they have changed)");
    await buildDashboard();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    terminal.event("dashboard", `not built, all else works: ${reason}`, "bad");
  }
}

async function tellFailure(thrown: unknown, { json }: DemoOptions): Promise<void> {
  const error = withHint(toSluiceError(thrown, "INTERNAL", true), thrown);
  process.stderr.write(`error ${error.code}: ${error.message}\n`);
  if (error.hint !== undefined) process.stderr.write(`hint: ${error.hint}\n`);
  if (json) await print(`${JSON.stringify({ ok: false, error }, null, 2)}\n`);
}

/** Without the condition that `npm run demo` sets, `"sluice"` means the built package. */
function withHint(error: SluiceError, thrown: unknown): SluiceError {
  if ((thrown as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") return error;
  return new SluiceError(error.code, { ...error.toJSON(), hint: "Start it with: npm ci && npm run demo" });
}
