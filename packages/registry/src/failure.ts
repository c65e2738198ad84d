/** From an answer that is not a success to the error that says so. */
import { z } from "zod";
import { RegistryError, type RegistryErrorCode } from "./errors.ts";
import type { Answer } from "./http.ts";
import { parseRetryAfter } from "./retry.ts";

const ErrorBody = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().optional() })).min(1) });

/** @param action what was tried, such as "read manifest latest of team/app" */
export async function failureOf(answer: Answer, action: string): Promise<RegistryError> {
  const code = codeOf(answer.status);
  const said = await registryMessage(answer);
  const message = `cannot ${action}: ${answer.url.host} answered ${answer.status}${said === undefined ? "" : ` (${said})`}${advice(code)}`;
  const retryAfterMs = parseRetryAfter(answer.headers.get("retry-after"), Date.now());
  return new RegistryError(code, message, { status: answer.status, retryAfterMs });
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 401 || status === 403) return "UNAUTHORIZED";
  if (status === 404) return "NOT_FOUND";
  if (status === 429 || status >= 500) return "UNAVAILABLE";
  return "REJECTED";
}

function advice(code: RegistryErrorCode): string {
  if (code === "UNAUTHORIZED") return "; check its name and the credentials for this registry";
  if (code === "NOT_FOUND") return "; check its name";
  return "";
}

/** The first error of the registry's own list, shortened; undefined when the body is not such a list. */
async function registryMessage(answer: Answer): Promise<string | undefined> {
  try {
    const body = ErrorBody.safeParse(JSON.parse(new TextDecoder().decode(await answer.bytes(64 * 1024))));
    const first = body.data?.errors[0];
    return first && `${first.code}${first.message === undefined ? "" : `: ${first.message}`}`.slice(0, 300);
  } catch {
    // The status alone says what happened; a body that cannot be read adds nothing.
    return undefined;
  }
}
