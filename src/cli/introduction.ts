import type { App } from "../app.ts";
import type { Config } from "../config.ts";
import type { AnyFlow } from "../core/index.ts";
import type { Project } from "./project.ts";
import { type Cell, formatTable } from "./table.ts";
import { type Span, type Terminal, toned } from "./terminal.ts";
import { version } from "../version.ts";

/** What {@link introduce} tells about. */
export interface Introduction {
  readonly app: App;
  readonly config: Config;
  readonly project: Project;
  /** Address of the dashboard for people. */
  readonly adminUrl: string;
  readonly setupLink: string | null;
  readonly isDevelopment: boolean;
}

/** Tells people what runs where, and what they can do now. */
export function introduce(terminal: Terminal, introduction: Introduction): void {
  const { app, config, adminUrl, setupLink, isDevelopment } = introduction;
  terminal.tell();
  terminal.tell(toned("strong", `Sluice ${version}`), isDevelopment ? ": development" : "");
  const rows: (readonly [string, Cell])[] = [
    ...config.flows.map((flow) => ["Hook", hookCell(app, flow)] as const),
    ["Dashboard", toned("strong", `${adminUrl}/`)],
    ...(setupLink === null ? [] : [["First user", [toned("strong", setupLink)]] as const]),
    ...(setupLink === null ? [] : [["", toned("faint", "works once, for 24 hours; keep it to yourself")] as const]),
    ...modelCells(app).map((cell) => ["Model", cell] as const),
    ...(isDevelopment ? sandboxRows(introduction) : []),
    ["Database", databaseText(introduction)],
  ];
  for (const line of formatTable(rows, { indent: "  " })) terminal.tell(...line);
  terminal.tell();
  if (isDevelopment) tellWhatToTry(terminal, config);
}

function hookCell({ publicUrl }: App, { name, trigger }: AnyFlow): Cell {
  if (trigger.kind === "call")
    return [toned("strong", name), " is started by the API, the command line or another flow"];
  const signed =
    "scheme" in trigger.verify
      ? `signed by ${trigger.verify.scheme} with ${trigger.verify.secrets.map(({ secret }) => secret).join(" or ")}`
      : toned("notable", "UNSIGNED: anyone may call it");
  return [toned("strong", `POST ${publicUrl}/hooks/${trigger.path}`), ` starts ${name}; `, signed];
}

/** One line for each model, or one for all names that mean the same. */
function modelCells({ models }: App): Cell[] {
  const groups = Map.groupBy(models, ({ provider, model, reason }) => `${provider}/${model}/${reason}`);
  return [...groups.values()].map((group): Span[] => {
    const names = group.map(({ name }) => name).join(" and ");
    const [first] = group;
    if (first?.simulated) return [toned("notable", "SIMULATED"), ` answers as ${names}: ${first.reason}`];
    return [`${first?.model} of ${first?.provider} as ${names}: ${first?.reason}`];
  });
}

function sandboxRows({ project }: Introduction): (readonly [string, Cell])[] {
  return [
    [
      "Sandbox",
      [toned("notable", "Slack and HubSpot are stand-ins"), " on this machine; nothing is sent to the real ones"],
    ],
    ["", toned("faint", `secrets that are not set are made up, in ${project.folder}/sandbox/secrets.json`)],
  ];
}

function databaseText({ app, project }: Introduction): string {
  const version = `Postgres ${app.database.version.split(" ")[0]}`;
  return app.database.kind === "embedded"
    ? `the bundled ${version}, in ${project.folder}/postgres`
    : `your own ${version}, as SLUICE_DATABASE_URL says`;
}

function tellWhatToTry(terminal: Terminal, { flows }: Config): void {
  const flow = flows.find(({ trigger }) => Object.keys(trigger.samples).length > 0);
  if (flow) {
    const [sample] = Object.keys(flow.trigger.samples);
    terminal.tell(
      "Try it in another terminal: ",
      toned("strong", `npx sluice run ${flow.name} --sample ${JSON.stringify(sample)}`),
    );
  }
  terminal.tell(toned("faint", "It starts anew when a file of the project changes. Ctrl-C ends it."));
  terminal.tell();
}
