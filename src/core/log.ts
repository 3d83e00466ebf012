/** What a log line may carry: ids, digests, counts and names. Never a payload, prompt, output or secret. */
export type LogFields = { readonly [field: string]: string | number | boolean | null | undefined };

/** Where rooms log to. An event is named noun and past verb: `run.failed`, `webhook.refused`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
