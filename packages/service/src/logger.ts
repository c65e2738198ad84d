/** Logs: one JSON object a line on stderr. */
import { pino, type Logger as PinoLogger } from "pino";

export type Logger = PinoLogger;

export interface LoggerOptions {
  /** The process, as each line names it. */
  readonly name: string;
  readonly level?: string;
  /** Values that no line may hold; each is replaced by `***`. */
  readonly secrets?: readonly string[];
}

export function createLogger({ name, level = "info", secrets = [] }: LoggerOptions): Logger {
  const redact = redactor(secrets);
  return pino({ name, level, base: { name, pid: process.pid }, hooks: { streamWrite: redact } }, pino.destination({ dest: 2, sync: true }));
}

/**
 * A function that replaces each of the values in a text by `***`, the longest first. It finds a value
 * also in the form that JSON gives it. Empty values are left out.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  const longestFirst = [...new Set(forms)].filter((form) => form !== "").sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((redacted, form) => redacted.replaceAll(form, "***"), text);
}
