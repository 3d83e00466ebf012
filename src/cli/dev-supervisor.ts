/*
 * `sluice dev` is two processes: this one watches the files, a child runs the application.
 *
 *   running  --a file changes--> stopping --child ended--> running
 *   running  --child cannot use the configuration, or crashes--> broken --a file changes--> running
 *   running  --child cannot start for another reason--> ended, with the child's exit code
 *   any      --Ctrl-C, SIGTERM--> ended, once the child has closed everything
 *
 * Node's own --watch is not used: it cannot tell a broken configuration from a taken port, watches all of node_modules,
 * and passes Ctrl-C on to a child that gets it from the terminal as well.
 */
import { type ChildProcess, fork } from "node:child_process";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { FromDev } from "./dev-messages.ts";
import { createFileWatcher } from "./file-watcher.ts";
import type { CommandContext } from "./project.ts";
import { listenForStop, type StopRequest } from "./stop-request.ts";
import { type Terminal, toned } from "./terminal.ts";

/** Closing lets requests and steps under way end, which takes up to about ten seconds. */
const stopDeadlineMs = 20_000;

interface Child {
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
  /** Whether a change of a file can mend what ended it. */
  isMendable(): boolean;
  /** Lets it close everything. */
  stop(): Promise<number>;
}

/** What {@link superviseDev} takes. */
export interface SupervisorOptions {
  /** Watched from the start. */
  readonly files: readonly string[];
  /** The command line of the child. */
  readonly argv: readonly string[];
  /** Set for all children but the first. */
  readonly restartedVariable: string;
}

/** Runs the application in a child process, and anew after each change of a file that it uses. Gives the exit code. */
export async function superviseDev(
  { terminal, workingFolder }: CommandContext,
  options: SupervisorOptions,
): Promise<number> {
  const stop = listenForStop();
  const watcher = createFileWatcher(options.files);
  try {
    for (let environment = process.env; ; environment = { ...process.env, [options.restartedVariable]: "1" }) {
      const changed = watcher.nextChange();
      const child = startChild(options.argv, environment, (file) => watcher.add(file));
      const code = await superviseChild(child, { terminal, changed, stop });
      if (code !== null) return code;
      terminal.tell(toned("busy", "Starting anew"), `: ${relative(workingFolder, await changed)} changed`);
      await child.stop();
    }
  } finally {
    watcher.close();
    stop.dispose();
  }
}

/** Gives the exit code, or null when a file has changed and another child is to take over. */
async function superviseChild(
  child: Child,
  { terminal, changed, stop }: { terminal: Terminal; changed: Promise<string>; stop: StopRequest },
): Promise<number | null> {
  const code = await Promise.race([child.ended, changed, stop.requested]);
  if (stop.isRequested) return await child.stop();
  if (typeof code !== "number") return null;
  if (!child.isMendable()) return code;
  terminal.tell(toned("notable", "Waiting for a change of the project's files. Ctrl-C ends it."));
  await Promise.race([changed, stop.requested]);
  return stop.isRequested ? code : null;
}

function startChild(argv: readonly string[], environment: NodeJS.ProcessEnv, onFile: (file: string) => void): Child {
  const main = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url));
  const child: ChildProcess = fork(main, argv, { env: environment });
  let mendable = false;
  child.on("message", (message: FromDev) => {
    if ("loaded" in message) onFile(message.loaded);
    else mendable = true;
  });
  const ended = new Promise<number>((resolve) => {
    // 128 and the number of the signal is how shells show it; the number itself says nothing here.
    child.once("exit", (code) => resolve(code ?? 128));
    child.once("error", () => resolve(1));
  });
  return {
    ended,
    isMendable: () => mendable,
    async stop() {
      if (child.connected) child.send("stop", () => {});
      const timer = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
      return ended.finally(() => clearTimeout(timer));
    },
  };
}
