import { readConfig } from "../config.ts";
import { buildShown } from "../build-shown.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { exampleFile } from "../platform/entry.ts";
import { loadImages } from "../user-file/load.ts";
import { runIn } from "./exec.ts";

const COMMAND = ["python", "-c", "import cowsay, os; cowsay.cow(os.environ['GREETING'])"];

/** Starts the platform, builds the first example, runs a command in it, and says what to try next. */
export async function quickstart({ output }: { readonly output: Output }): Promise<void> {
  const { file, shown } = exampleFile();
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  const [image] = await loadImages({ file, name: undefined });
  output.note(`\nBuilding ${shown}`);
  const { ref } = await buildShown(image, { client, output, signal: interruption.signal });
  output.note(`\nRunning a command in it`);
  process.exitCode = await runIn(ref, COMMAND, { client, output, signal: interruption.signal });
  output.note(NEXT(shown));
}

const NEXT = (example: string) => `
Next, from this folder:
  change ${example} and build it again:
    npx lamina build ${example}
  write an image of your own, anywhere, and look into it:
    npx lamina exec image.ts#NAME -- COMMAND
  see what there is:
    npx lamina --help
  the platform stays up in the background; stop it with:
    npx lamina down`;
