/** What the client throws, in the words of whoever uses it. */
import { fromClientError, LaminaError, rootReason } from "@lamina/api";

/** The error that the platform answered; UNREACHABLE when none came from it. */
export function clientError(error: unknown, url: string): LaminaError {
  return fromClientError(error, (reason) => unreachableMessage(url, reason));
}

export function unreachable(url: string, cause: unknown): LaminaError {
  return new LaminaError({ code: "UNREACHABLE", message: unreachableMessage(url, rootReason(cause)) }, { cause });
}

function unreachableMessage(url: string, reason: string): string {
  return `The platform at ${url} cannot be reached: ${reason}. \`lamina doctor\` says why; start one with \`lamina up\`, or point LAMINA_URL at one that runs.`;
}
