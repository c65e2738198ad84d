/** How anything that was thrown ends the program: what is shown of it, and the exit code. */
import { readFile } from "node:fs/promises";
import { CommanderError } from "commander";
import type { Output } from "./output.ts";

const BAD_USAGE = 2;

/** Shows the error, as text on stderr or as JSON on stdout, and returns the exit code. */
export async function reportFailure(thrown: unknown, output: Output): Promise<number> {
  // Commander has printed its own message; help and version are no errors.
  if (thrown instanceof CommanderError && !output.json) return thrown.exitCode === 0 ? 0 : BAD_USAGE;
  const { asLaminaError, badInput, exitCodeOf, laminaError } = await import("lamina");
  const { failureLines } = await import("./view/failure.ts");
  const { shownLine } = await import("./view/text.ts");
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0;
    output.event({ type: "error", ...badInput("invalid-usage", thrown.message).info });
    return BAD_USAGE;
  }
  const known = asLaminaError(thrown) ?? laminaError(thrown);
  const { info } = known;
  if (output.json) {
    output.event({ type: "error", ...info });
    return exitCodeOf(info.code);
  }
  const { BuildCancelled, BuildFailure } = await import("./build-shown.ts");
  if (known instanceof BuildCancelled) return exitCodeOf(info.code);
  const sourceText = info.source && (await readFile(info.source.file, "utf8").catch(() => undefined));
  if (info.code === "CANCELLED") output.afterInterrupt();
  const { layerName, build } = known instanceof BuildFailure ? known : {};
  output.note(
    failureLines(info, {
      colors: output.colors,
      columns: output.noteColumns,
      layer: layerName,
      sourceText,
    }).join("\n"),
  );
  if (build !== undefined) output.note(`\nThe whole log: lamina logs ${build}`);
  if (info.code === "INTERNAL" && known.cause instanceof Error)
    output.note(output.colors.dim((known.cause.stack ?? "").split("\n").map(shownLine).join("\n")));
  return exitCodeOf(info.code);
}
