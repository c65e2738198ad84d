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

export async function noApp(database: Database, workspace: string, app: string): Promise<LaminaError> {
  const names = await deployedApps(database, workspace);
  const there = names.length === 0 ? "nothing is deployed" : `deployed apps: ${names.join(", ")}`;
  return new LaminaError({ code: "NOT_FOUND", message: `There is no app ${app}; ${there}. \`lamina deploy FILE\` deploys one.` });
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
