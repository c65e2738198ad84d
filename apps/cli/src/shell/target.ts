/** What a shell is wanted of: an image, a function of a file in an app for the moment, or one that is deployed. */
import { stat } from "node:fs/promises";
import { type AppInfo, badInput, isImage, LaminaError, type OpenShellInput, startSession } from "lamina";
import { buildShown } from "../build-shown.ts";
import { type ImageContext, imageOf, isBuilt } from "../built-image.ts";
import { choose, parseFunctionTarget } from "../functions/choose.ts";
import { shownDeploy } from "../functions/deploy-shown.ts";
import { importFile } from "../user-file/load.ts";
import { isPython } from "../user-file/python.ts";

type ShellOf = OpenShellInput["of"];

/** @param sessions has what is there for the moment */
export async function shellTarget(text: string, context: ImageContext, sessions: AsyncDisposableStack): Promise<ShellOf> {
  if (isBuilt(text) || text.includes("#")) return { kind: "image", image: await imageOf(text, context) };
  if (text.includes("::")) return ofFile(text, context, sessions);
  if (await isFile(text)) return { kind: "image", image: await imageOf(text, context) };
  return { kind: "function", ...deployed(text, await context.client.apps.list()) };
}

async function ofFile(text: string, context: ImageContext, sessions: AsyncDisposableStack): Promise<ShellOf> {
  const target = parseFunctionTarget(text);
  if (isPython(target.file)) {
    const named = `lamina shell APP.${target.name ?? "FUNCTION"}`;
    throw badInput(
      "invalid-usage",
      `${text} is in Python, which a shell takes when it is deployed: \`lamina deploy ${target.file}\`, and then \`${named}\` with the name of its app.`,
    );
  }
  const exports = await importFile(target.file);
  const exported = exports[target.name ?? ""];
  if (isImage(exported)) {
    return { kind: "image", image: (await buildShown({ name: target.name ?? "", image: exported }, { ...context, brief: true })).ref };
  }
  const chosen = choose(exports, target);
  if (chosen.kind === "entrypoint")
    throw badInput("invalid-usage", `${text} is neither an image nor a function of an app, so it runs here.`);
  const { app } = sessions.use(await startSession(context.client, chosen.definition.app, shownDeploy(context)));
  return { kind: "function", app, function: chosen.definition.name };
}

async function isFile(text: string): Promise<boolean> {
  if (/\.([cm]?[jt]s|py)$/.test(text)) return true;
  return (await stat(text).catch(() => undefined))?.isFile() === true;
}

/** Names of apps and of functions may have dots, so that they are told apart by what there is. Of a class, a method may be named too. */
function deployed(text: string, apps: readonly AppInfo[]): { readonly app: string; readonly function: string } {
  const all = apps
    .filter(({ state }) => state === "active")
    .flatMap(({ name: app, functions }) =>
      functions.map(({ name, methods = [] }) => ({
        app,
        function: name,
        texts: [`${app}.${name}`, ...methods.map((method) => `${app}.${name}.${method}`)],
      })),
    );
  const found = all.find(({ texts }) => texts.includes(text));
  if (found !== undefined) return { app: found.app, function: found.function };
  const there =
    all.length === 0
      ? "No function is deployed: `lamina deploy FILE` does that."
      : `Deployed are ${all.map(({ texts: [name] }) => name).join(", ")}.`;
  throw new LaminaError({
    code: "NOT_FOUND",
    message: `"${text}" is neither a file, nor an image, nor a function that is deployed. ${there}`,
  });
}
