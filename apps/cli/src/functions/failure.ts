/** What a function or an entry point threw, as the command ends with it. */
import { asLaminaError, LaminaError } from "lamina";

/** An error of the platform as it is; of an exception in a container what the platform says of it; else a failure of the user's code here. */
export function failureOf(thrown: unknown): LaminaError {
  const known = asLaminaError(thrown) ?? (thrown instanceof Error ? asLaminaError(thrown.cause) : undefined);
  if (known !== undefined) return known;
  if (!(thrown instanceof Error))
    return new LaminaError({ code: "CALL_FAILED", message: `It threw ${String(thrown)}.` }, { cause: thrown });
  const [, ...frames] = (thrown.stack ?? "").split("\n");
  return new LaminaError({ code: "CALL_FAILED", message: `${thrown.name}: ${thrown.message}`, lastLines: frames }, { cause: thrown });
}
