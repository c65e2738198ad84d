/** Faults of our own: the log has their cause under an id, and callers are told that id alone. */
import { type ErrorInfo, faultInfo, LaminaError } from "@lamina/api";
import type { Logger } from "@lamina/service";
import { randomUUID } from "node:crypto";

/** Logs a fault, and returns the id under which it was logged. */
export function reportFault(logger: Logger, cause: unknown): string {
  const id = randomUUID();
  logger.error({ err: cause, fault: id }, "a fault of our own");
  return id;
}

/** What callers are told of what was thrown. */
export function errorInfo(logger: Logger, thrown: unknown): ErrorInfo {
  return thrown instanceof LaminaError ? thrown.info : faultInfo(reportFault(logger, thrown));
}
