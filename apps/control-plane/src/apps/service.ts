/** Apps: functions that are deployed together, under a name or for as long as somebody keeps them. */
import { LaminaError, type Services } from "@lamina/api";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { deployApp } from "./deploy.ts";
import { findApp } from "./find.ts";
import { infosOf } from "./info.ts";
import { stopApp } from "./stop.ts";

export function createAppsService(context: Context): Services["apps"] {
  const { database } = context;
  return {
    deploy: ({ workspace }, input) => deployApp(context, workspace, input),
    async list({ workspace }) {
      const apps = await overOutages(() =>
        database.app.findMany({ where: { workspace, ephemeral: false }, orderBy: { deployedAt: "desc" } }),
      );
      return infosOf(database, apps);
    },
    async get({ workspace }, { app }) {
      const [info] = await infosOf(database, [await findApp(database, workspace, app)]);
      if (info === undefined) throw new Error(`App ${app} was found and is not told of.`);
      return info;
    },
    async stop({ workspace }, { app }) {
      await stopApp(context, await findApp(database, workspace, app));
    },
    async keep({ workspace }, { app }) {
      const { id, state, name } = await findApp(database, workspace, app);
      const kept = await overOutages(() => database.$executeRaw`UPDATE app SET heard_at = now() WHERE id = ${id} AND state = 'active'`);
      if (kept > 0) return;
      const reason = state === "stopped" ? "It was stopped, or nobody asked to keep it for too long." : "It was stopped just now.";
      throw new LaminaError({ code: "NOT_FOUND", message: `App ${name} does not run any more. ${reason} Deploy it again.` });
    },
  };
}
