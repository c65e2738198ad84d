import { handlerOf, type Input, LaminaError, type LogBatch, parametersOf, startSession } from "lamina";
import { readConfig } from "../config.ts";
import { awaitCall, showResult } from "../functions/await-call.ts";
import { type Chosen, choose, parseFunctionTarget } from "../functions/choose.ts";
import { shownDeploy } from "../functions/deploy-shown.ts";
import { failureOf } from "../functions/failure.ts";
import { showLines } from "../functions/show-logs.ts";
import { inputOf } from "../functions/input.ts";
import { placedInput } from "../functions/named.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect, platformAddress } from "../platform/connect.ts";
import { importFile } from "../user-file/load.ts";
import { isPython, runPython } from "../user-file/python.ts";

export interface RunOptions {
  /** FILE or FILE::function. */
  readonly target: string;
  readonly args: readonly string[];
  readonly output: Output;
}

/** Has the file's app for the moment, calls a function of it or runs its entry point, and ends it. */
export async function run({ target: text, args, output }: RunOptions): Promise<void> {
  const target = parseFunctionTarget(text);
  if (isPython(target.file)) {
    const platform = await platformAddress(readConfig(), output);
    process.exitCode = await runPython({ command: "run", target: text, args, json: output.json }, platform);
    return;
  }
  const chosen = choose(await importFile(target.file), target);
  const input = await inputFor(chosen, inputOf(args));
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  const watched = { client, output, signal: interruption.signal };
  await using sessions = new AsyncDisposableStack();
  if (chosen.kind === "function") {
    const { definition, method } = chosen;
    const { app } = sessions.use(await startSession(client, definition.app, shownDeploy(watched)));
    await awaitCall({ app, function: definition.name, method }, input, watched);
    return;
  }
  const onLog = (batch: LogBatch) => showLines(batch, { output, to: "stderr" });
  for (const app of chosen.apps) sessions.use(await startSession(client, app, { ...shownDeploy(watched), onLog }));
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  interruption.signal.addEventListener("abort", () => reject(new LaminaError({ code: "CANCELLED", message: "The run was cancelled." })));
  const result = await Promise.race([entered(chosen.run, input.args), interrupted]);
  if (result !== undefined) showResult(result, output);
}

/** Functions in Python take arguments by their names as they are. */
async function inputFor(chosen: Chosen, input: Input): Promise<Input> {
  if (chosen.kind === "entrypoint") return placedInput(input, await parametersOf(chosen.run));
  const { definition, method } = chosen;
  return definition.code.language === "python" ? input : placedInput(input, await parametersOf(handlerOf(definition, method)));
}

async function entered(run: (...args: unknown[]) => unknown, args: readonly unknown[]): Promise<unknown> {
  try {
    return await run(...args);
  } catch (error) {
    throw failureOf(error);
  }
}
