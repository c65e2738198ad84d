/** How calls end, in the platform's words. */
import { type CallError, LaminaError, type RemoteException, type ServedFunction } from "@lamina/api";
import type { ContainerExit } from "../engine/function-containers.ts";
import { BrokenError, ContainerGone } from "./container.ts";

type Failed = { readonly state: "failed"; readonly error: CallError };

const failed = (code: CallError["code"], message: string, exception?: RemoteException): Failed => ({
  state: "failed",
  error: { code, message, ...(exception !== undefined && { exception }) },
});

export function threw(exception: RemoteException): Failed {
  const message = exception.message === "" ? exception.type : `${exception.type}: ${exception.message}`;
  return failed("CALL_FAILED", message, exception);
}

export const unreadable = (message: string): Failed => failed("VALUE_UNREADABLE", message);

export function timedOut({ timeoutSeconds }: ServedFunction): Failed {
  return failed("CALL_TIMED_OUT", `The call took longer than the ${timeoutSeconds} s that its function allows (timeout).`);
}

export function lost(deliveries: number): Failed {
  return failed("CALL_LOST", `The call was begun ${deliveries - 1} times, and each time what ran it was lost.`);
}

/** Of a call in whose middle the container ended. */
export function crashed(exit: ContainerExit, { memoryMib }: ServedFunction): Failed {
  if (exit.outOfMemory)
    return failed("CALL_OUT_OF_MEMORY", `The function had more memory than the ${memoryMib} MiB that it may have (memory).`);
  return failed("CALL_CRASHED", `The process of the function ended in the middle of the call: ${howItEnded(exit)}.`);
}

/** A container was not ready in time. */
export class SetUpTooLong extends Error {
  override readonly name = "SetUpTooLong";
  /** @param seconds that it had */
  constructor(seconds: number) {
    super(`it took longer than the ${seconds} s that it may take`);
  }
}

/** Of the calls that wait for a container that cannot be set up. */
export function broken(reason: unknown, { memoryMib }: ServedFunction): Failed {
  if (reason instanceof BrokenError) return failed("FUNCTION_BROKEN", `The function cannot be set up: ${reason.message}`, reason.exception);
  if (reason instanceof SetUpTooLong) return failed("FUNCTION_BROKEN", `The function cannot be set up: ${reason.message}.`);
  if (reason instanceof ContainerGone) {
    const { exit } = reason;
    if (exit.outOfMemory) {
      return failed(
        "FUNCTION_BROKEN",
        `The function had more memory than the ${memoryMib} MiB that it may have (memory) while it was set up.`,
      );
    }
    return failed("FUNCTION_BROKEN", `The function's process ended while it was set up: ${howItEnded(exit)}.`);
  }
  const message = reason instanceof Error ? reason.message : String(reason);
  return failed("FUNCTION_BROKEN", `No container of the function can be started: ${message}`);
}

/** What is not the function's fault: the registry, the control plane or containerd may be back soon. */
const PASSING: readonly string[] = ["REGISTRY_UNAVAILABLE", "UNREACHABLE", "RUN_FAILED", "INTERNAL"];

/** Whether it may be over soon, for no fault of the function. */
export function isPassing(reason: unknown): boolean {
  return reason instanceof LaminaError && PASSING.includes(reason.code);
}

function howItEnded({ exitCode, said }: ContainerExit): string {
  const code = exitCode > 128 && exitCode < 160 ? `signal ${exitCode - 128}` : `exit code ${exitCode}`;
  return said.trim() === "" ? code : `${code}; ${said.trim()}`;
}
