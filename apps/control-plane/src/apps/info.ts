/** What is told of apps. */
import type { AppInfo, Deployment } from "@lamina/api";
import { type Database, overOutages } from "../database/database.ts";
import { StoredFunction } from "../functions/spec.ts";
import type { App, FunctionVersion } from "../generated/client.ts";

export function deploymentOf(app: Pick<App, "id" | "name" | "version">, functions: readonly FunctionVersion[]): Deployment {
  return {
    app: app.id,
    name: app.name,
    version: app.version,
    functions: functions
      .map(({ id, spec }) => {
        const { name, image, entry, methods, parameters } = StoredFunction.parse(spec);
        return { name, id, image, language: entry.language, methods, parameters };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** With the functions of their last version, and the calls of any version that have not ended. */
export async function infosOf(database: Database, apps: readonly App[]): Promise<AppInfo[]> {
  const ids = apps.map(({ id }) => id);
  const [functions, pending] = await overOutages(() => Promise.all([functionsOf(database, apps), pendingCalls(database, ids)]));
  return apps.map((app) => ({
    ...deploymentOf(app, functions.get(app.id) ?? []),
    state: app.state,
    ephemeral: app.ephemeral,
    createdAt: app.createdAt.toISOString(),
    deployedAt: app.deployedAt.toISOString(),
    pending: pending.get(app.id) ?? 0,
  }));
}

/** The functions of each app's last version. */
async function functionsOf(database: Database, apps: readonly App[]): Promise<Map<string, FunctionVersion[]>> {
  const links = await database.appVersionFunction.findMany({
    where: { OR: apps.map(({ id, version }) => ({ appId: id, number: version })) },
    include: { function: true },
  });
  return Map.groupBy(
    links.map((link) => link.function),
    ({ appId }) => appId,
  );
}

async function pendingCalls(database: Database, apps: readonly string[]): Promise<Map<string, number>> {
  const rows = await database.$queryRaw<{ app: string; calls: number }[]>`
    SELECT f.app_id AS app, count(*)::int AS calls
    FROM function_version f JOIN call c ON c.function_id = f.id AND c.ended_at IS NULL
    WHERE f.app_id = ANY(${apps}) AND f.state <> 'stopped' GROUP BY f.app_id`;
  return new Map(rows.map(({ app, calls }) => [app, calls]));
}
