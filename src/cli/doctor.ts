import { loadConfig } from "./load-config.ts";
import { type Check, type Finding, ok, type Subject, toFinding } from "./doctor/check.ts";
import { dataFolderCheck } from "./doctor/data-folder.ts";
import { databaseCheck } from "./doctor/database.ts";
import { modelsCheck } from "./doctor/models.ts";
import { nodeCheck } from "./doctor/node.ts";
import { portsCheck } from "./doctor/ports.ts";
import { secretsCheck } from "./doctor/secrets.ts";
import { exitCodes } from "./failure.ts";
import { type CommandContext, type CommonOptions, configFileOf, openProject } from "./project.ts";
import { times } from "./run-words.ts";
import { formatTable } from "./table.ts";
import { type Span, type Terminal, toned } from "./terminal.ts";

interface Result extends Finding {
  readonly check: string;
}

const checks: readonly Check[] = [nodeCheck, dataFolderCheck, databaseCheck, secretsCheck, modelsCheck, portsCheck];

/**
 * `sluice doctor`: checks what `sluice start` needs, and says what to do about what is not there. Nothing is changed, but
 * that tables of an older version are brought up to date.
 *
 * @returns the exit code: 1 when a check failed.
 */
export async function doctor(context: CommandContext, options: CommonOptions): Promise<number> {
  const { terminal, environment } = context;
  const project = openProject(context, options);
  const loaded = await tryToLoad(() => loadConfig(configFileOf(project, context)));
  const subject: Subject = { project, environment, config: loaded.config };
  const results: Result[] = [{ check: "configuration", ...loaded.finding }];
  for (const check of checks) {
    if (terminal.isWatched && !options.json) terminal.progress(`checking: ${check.name}`);
    const findings = await lookInto(check, subject);
    results.push(...findings.map((finding) => ({ check: check.name, ...finding })));
  }
  terminal.progress(null);
  const isOk = results.every(({ status }) => status !== "fail");
  if (options.json) terminal.printJson({ ok: isOk, checks: results });
  else printResults(terminal, results);
  return isOk ? exitCodes.ok : exitCodes.error;
}

async function tryToLoad(load: () => Promise<NonNullable<Subject["config"]>>) {
  try {
    const config = await load();
    const names = config.flows.map(({ name }) => name).join(", ");
    return { config, finding: ok(`${times(config.flows.length, "flow")}: ${names}`) };
  } catch (thrown) {
    return { config: null, finding: toFinding(thrown) };
  }
}

async function lookInto(check: Check, subject: Subject): Promise<Finding[]> {
  try {
    return await check.look(subject);
  } catch (thrown) {
    return [toFinding(thrown)];
  }
}

const marks: { readonly [status in Finding["status"]]: Span } = {
  ok: toned("good", "ok"),
  warn: toned("notable", "warn"),
  fail: toned("bad", "FAIL"),
};

function printResults(terminal: Terminal, results: readonly Result[]): void {
  const lines = formatTable(results.map(({ status, check, message }) => [marks[status], check, message]));
  const hintColumn = " ".repeat(6);
  for (const [at, { hint }] of results.entries()) {
    terminal.print(...(lines[at] ?? []));
    if (hint) terminal.print(hintColumn, toned("busy", "hint"), `: ${hint}`);
  }
  const count = (status: Finding["status"]): number => results.filter((result) => result.status === status).length;
  terminal.print();
  terminal.print(
    count("fail") > 0
      ? toned("bad", `${times(count("fail"), "failure")}: sluice start would not work`)
      : toned("good", "Nothing keeps sluice start from working"),
    count("warn") > 0 ? `; ${times(count("warn"), "warning")}` : "",
  );
}
