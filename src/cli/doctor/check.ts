import type { Config } from "../../config.ts";
import { toSluiceError } from "../../core/index.ts";
import type { CommandContext, Project } from "../project.ts";

/** What one check found. `warn`: it works, but perhaps not as meant. `fail`: `sluice start` would not work. */
export interface Finding {
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do; absent when there is nothing to do. */
  readonly hint?: string | undefined;
}

/** What the checks look at. */
export interface Subject {
  readonly project: Project;
  readonly environment: CommandContext["environment"];
  /** Null when it cannot be loaded. */
  readonly config: Config | null;
}

/** A check by its name. One that throws has failed. */
export interface Check {
  readonly name: string;
  readonly look: (subject: Subject) => Finding[] | Promise<Finding[]>;
}

export const ok = (message: string): Finding => ({ status: "ok", message });
export const warning = (message: string, hint: string): Finding => ({ status: "warn", message, hint });
export const failing = (message: string, hint: string): Finding => ({ status: "fail", message, hint });

/** An error as a finding. */
export function toFinding(thrown: unknown): Finding {
  const { code, message, hint } = toSluiceError(thrown);
  return { status: "fail", message: `${code}: ${message}`, hint };
}
