/** The program: its commands, and how it ends. */
import manifest from "../package.json" with { type: "json" };
import { INTERRUPTED } from "./interrupt.ts";
import { createOutput } from "./output.ts";
import { createProgram } from "./program.ts";
import { endProcess, userFailure } from "./user-file/guard.ts";

/** Runs the command that the arguments name, and ends the process with its exit code. */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv): Promise<never> {
  // What has something to cancel listens itself.
  process.on("SIGINT", () => {
    if (process.listenerCount("SIGINT") !== 1) return;
    output.afterInterrupt();
    endProcess(INTERRUPTED);
  });
  // Whoever reads our output may stop doing so, as `head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    endProcess(0);
  });
  // Asked of the arguments too, since a usage error comes before the options are known.
  let output = createOutput({ json: wantsJson(args), env });
  const program = createProgram({
    version: manifest.version,
    colors: () => output.colors,
    // By the variable, which reaches what this process starts.
    onNoColor: () => {
      env["NO_COLOR"] = "1";
      output = createOutput({ json: output.json, env });
    },
    run: async (json, command) => {
      const { wrappedWords } = await import("./view/columns.ts");
      output = createOutput({ json, env, wrap: wrappedWords });
      await command(output);
    },
  });
  try {
    await Promise.race([program.parseAsync([...args], { from: "user" }), userFailure]);
  } catch (error) {
    const { reportFailure } = await import("./failure.ts");
    process.exitCode = await reportFailure(error, output);
  }
  // A user's file may have left something behind that would keep the process, as a timer does.
  await Promise.all([written(process.stdout), written(process.stderr)]);
  endProcess();
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end === -1 ? undefined : end).includes("--json");
}
