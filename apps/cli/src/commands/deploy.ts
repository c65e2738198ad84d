import { appsOf, deployApp, LaminaError } from "lamina";
import { readConfig } from "../config.ts";
import { shownDeploy } from "../functions/deploy-shown.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect, platformAddress } from "../platform/connect.ts";
import { importFile } from "../user-file/load.ts";
import { isPython, runPython } from "../user-file/python.ts";

/** Deploys the apps of a file, one after the other. */
export async function deploy({ file, output }: { readonly file: string; readonly output: Output }): Promise<void> {
  if (isPython(file)) {
    const platform = await platformAddress(readConfig(), output);
    process.exitCode = await runPython({ command: "deploy", target: file, json: output.json }, platform);
    return;
  }
  const apps = appsOf(await importFile(file));
  if (apps.length === 0) throw new LaminaError({ code: "INVALID_INPUT", message: `${file} exports no app, nor a function of one.` });
  const client = await connect(readConfig(), output);
  using interruption = onInterrupt();
  for (const app of apps) {
    const { app: id, ...deployed } = await deployApp(client, app, shownDeploy({ client, output, signal: interruption.signal }));
    const names = deployed.functions.map(({ name }) => name).join(", ");
    output.answer({ type: "app", id, ...deployed }, `${deployed.name} version ${deployed.version}: ${names}`);
  }
}
