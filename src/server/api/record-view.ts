import { ErrorView } from "./schemas.ts";

/** The parts of a stored error that are shown; null when there is none. */
export function toErrorView(error: unknown): ErrorView | null {
  if (error === null) return null;
  const parsed = ErrorView.safeParse(error);
  if (parsed.success) return parsed.data;
  // Something went wrong, so this must not look like success.
  return { code: "INTERNAL", message: "the record of this error cannot be read", retryable: false };
}

export function toTime(date: Date | null): string | null {
  return date && date.toISOString();
}
