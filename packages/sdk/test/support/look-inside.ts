/** A look inside an image that was built: what a command prints in a container of it. */
import { type BuildResult, type Client, LaminaError } from "lamina";

/** @throws LaminaError when the command fails, with what it printed */
export async function lookInside(client: Client, { ref }: BuildResult, ...command: string[]): Promise<string> {
  const { run } = await client.runs.start({ image: ref, command });
  const output = { stdout: "", stderr: "" };
  for await (const event of client.runs.follow(run)) {
    if (event.type === "output") output[event.stream] += Buffer.from(event.data, "base64").toString();
    if (event.type === "run-failed") throw new LaminaError(event.error);
    if (event.type === "run-exited" && event.exitCode !== 0) {
      throw new LaminaError({ code: "RUN_FAILED", message: `exit status ${event.exitCode}: ${output.stderr}` });
    }
  }
  return output.stdout.trim();
}
