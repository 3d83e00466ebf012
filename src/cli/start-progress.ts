import type { StartPhase } from "../app.ts";
import { type Terminal, toned } from "./terminal.ts";

/** What start-up is doing, in words. */
const words: { readonly [phase in StartPhase]: string | null } = {
  relocated: null,
  preparing: "preparing the database, only at the first start",
  starting: "starting the database",
  ready: "database ready",
  adopted: "joining the database, which runs already",
  lost: "the database died; bringing it back",
  migrating: "bringing the tables up to date",
  sandbox: "starting the stand-ins of outside systems",
  engine: "starting the engine",
  listening: null,
};

/** Shows the phases of start-up. */
export function showProgress(terminal: Terminal): (phase: StartPhase) => void {
  return (phase) => {
    if (phase === "relocated") {
      terminal.tell(
        "The data lies below /var/lib/sluice: root runs Postgres as another user, who may not enter the data folder.",
      );
    }
    if (phase === "lost") terminal.tell(toned("notable", "warning"), `: ${words.lost}`);
    else if (words[phase] !== null || phase === "listening") terminal.progress(words[phase]);
  };
}
