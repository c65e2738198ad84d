/** Apps by their names and ids. */
import { LaminaError } from "@lamina/api";
import { type Database, overOutages } from "../database/database.ts";
import type { App } from "../generated/client.ts";

/** @throws {LaminaError} NOT_FOUND, which names the apps that there are */
export async function findApp(database: Database, workspace: string, app: string): Promise<App> {
  const found = await overOutages(() => database.app.findFirst({ where: { workspace, OR: [{ id: app }, { foundBy: app }] } }));
  if (found !== null) return found;
  throw await noApp(database, workspace, app);
}

async function noApp(database: Database, workspace: string, app: string): Promise<LaminaError> {
  const names = await deployedApps(database, workspace);
  const there = names.length === 0 ? "nothing is deployed" : `deployed apps: ${names.join(", ")}`;
  return new LaminaError({ code: "NOT_FOUND", message: `There is no app ${app}; ${there}. \`lamina deploy FILE\` deploys one.` });
}

/** Why a function is not to be had: there is no such app, it is stopped, or it has none of that name. */
export async function noFunction(
  database: Database,
  workspace: string,
  { app, function: name }: { readonly app: string; readonly function: string },
): Promise<LaminaError> {
  const found = await overOutages(() =>
    database.app.findFirst({
      where: { workspace, foundBy: app },
      include: { functions: { where: { state: "active" }, orderBy: { name: "asc" }, select: { name: true } } },
    }),
  );
  if (found === null) return noApp(database, workspace, app);
  if (found.state === "stopped") {
    return new LaminaError({ code: "NOT_FOUND", message: `App ${found.name} is stopped. \`lamina deploy FILE\` deploys it again.` });
  }
  const names = found.functions.map((item) => item.name).join(", ");
  return new LaminaError({ code: "NOT_FOUND", message: `App ${found.name} has no function ${name}. Its functions are: ${names}.` });
}

/** As many as one can read. */
const NAMED_APPS = 20;

async function deployedApps(database: Database, workspace: string): Promise<string[]> {
  const apps = await overOutages(() =>
    database.app.findMany({
      where: { workspace, ephemeral: false, state: "active" },
      orderBy: { name: "asc" },
      take: NAMED_APPS,
      select: { name: true },
    }),
  );
  return apps.map(({ name }) => name);
}
