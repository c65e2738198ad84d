/** Checks an image as far as that can be done before its local files are read. */
import { type Checked, checkBeginning, checkStep, DefinitionError } from "@lamina/ir";
import type { Call } from "./arguments.ts";
import { failure } from "./failure.ts";
import type { ImageState, Step } from "./image-state.ts";
import { withoutFiles } from "./local-steps/index.ts";

/** @throws INVALID_INPUT or UNKNOWN_BUILDER_VERSION, at the call that named the base */
export function checkBase({ builderVersion, base }: Pick<ImageState, "builderVersion" | "base">, call: Call): Checked {
  return atCall(call, () => checkBeginning({ builderVersion, base }));
}

/** Checks what comes after an image that is checked. @throws INVALID_INPUT, at the call that made the image wrong */
export function checkNext(before: Checked, step: Step, call: Call): Checked {
  return atCall(call, () => checkStep(before, withoutFiles(step)));
}

function atCall(call: Call, check: () => Checked): Checked {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    const { reason } = error;
    const code = reason === "unknown-builder-version" ? "UNKNOWN_BUILDER_VERSION" : "INVALID_INPUT";
    // The setup of a base is a step like any other, which its author has not called.
    const message =
      call.method === "fromRegistry"
        ? error.message.replace(/^dockerfileCommands: /, "fromRegistry: setupDockerfileCommands: ")
        : error.message;
    throw failure(code, message, { reason, source: call.source, cause: error });
  }
}
