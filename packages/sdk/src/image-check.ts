/** Checks an image as far as that can be done before its local files are read. */
import { checkDefinition, DefinitionError } from "@lamina/ir";
import type { Call } from "./arguments.ts";
import { failure } from "./failure.ts";
import type { ImageState } from "./image-state.ts";
import { withoutFiles } from "./local-steps/index.ts";

/** @throws INVALID_INPUT or UNKNOWN_BUILDER_VERSION, at the call that made the image wrong */
export function checkImage({ builderVersion, base, steps }: ImageState, call: Call): void {
  try {
    checkDefinition({ builderVersion, base, steps: steps.map(withoutFiles) });
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
