/** The program: its commands, and how it ends. */
import manifest from "../package.json" with { type: "json" };
import { createOutput } from "./output.ts";
import { createProgram } from "./program.ts";

/** Runs the command that the arguments name, and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
  // Whoever reads our output may stop doing so, as `head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
  // Asked of the arguments too, since a usage error comes before the options are known.
  let output = createOutput({ json: wantsJson(args) });
  const program = createProgram(manifest.version, async (json, command) => {
    output = createOutput({ json });
    await command(output);
  });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    const { reportFailure } = await import("./failure.ts");
    process.exitCode = await reportFailure(error, output);
  }
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).includes("--json");
}
