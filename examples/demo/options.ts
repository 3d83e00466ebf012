import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** The folder of the package. */
export const packageFolder = join(import.meta.dirname, "../..");

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Ends after the story, instead of staying up. */
  readonly once: boolean;
  /** Prints one JSON document on stdout; the story goes to stderr. */
  readonly json: boolean;
  /** Where the data lies. Absolute. */
  readonly folder: string;
  readonly help: boolean;
}

export const helpText = `Usage: npm run demo -- [options]

Starts Sluice with stand-ins of Slack and HubSpot, sends it leads by signed
webhook, tells what becomes of them, and stays up with the dashboard.

  --once        end after the story
  --json        print one JSON document on stdout, the story on stderr
  --folder DIR  keep the data there (default: .sluice/demo in the package)
  --help        show this

Environment
  SLUICE_DATABASE_URL                an own Postgres (15 or later) in place of
                                     the bundled one
  OPENAI_API_KEY, ANTHROPIC_API_KEY  that provider's model in place of the
                                     simulated one
`;

/**
 * Reads the command line.
 *
 * @throws Error for an option that is unknown, lacks its value or has one too many.
 */
export function parseOptions(argv: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      once: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      folder: { type: "string", default: join(packageFolder, ".sluice/demo") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.folder === "") throw new Error("Option '--folder <value>' argument is empty");
  return { ...values, folder: resolve(values.folder) };
}
