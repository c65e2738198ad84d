/** Calls of functions. */
import { type Services } from "@lamina/api";
import { findApp } from "../apps/find.ts";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { Prisma } from "../generated/client.ts";
import { cancelCalls } from "./cancel.ts";
import { finishCalls } from "./finish.ts";
import { readLogs } from "./logs.ts";
import { callOf, endsOf, noCalls } from "./row.ts";
import { sendEachApart } from "./send.ts";
import { startCalls } from "./start.ts";

const COLUMNS = Prisma.sql`
  c.id, a.name AS app, f.name AS function, c.method, c.version, c.state::text AS state, c.result, c.error, c.retries,
  c.created_at AS created, c.started_at AS started, c.ended_at AS ended`;

export function createCallsService(context: Context): Services["calls"] {
  const { callStatements, database, callWaiters, unrecordedCalls } = context;
  return {
    start: ({ workspace }, input) => startCalls(context, workspace, input),
    async wait({ workspace }, { ids, waitMs, gatherMs }, signal) {
      using waiting = callWaiters.waitFor(workspace, ids);
      await unrecordedCalls.recorded(ids);
      waiting.found(await endsOf(callStatements, workspace, ids));
      // Waited for here: the waiting ends with this block.
      return await waiting.ends({ forFirst: waitMs, forOthers: gatherMs }, signal);
    },
    async get({ workspace }, { id }) {
      await unrecordedCalls.recorded([id]);
      const [row] = await overOutages(
        () => database.$queryRaw<unknown[]>`
          SELECT ${COLUMNS} FROM call c JOIN function_version f ON f.id = c.function_id JOIN app a ON a.id = f.app_id
          WHERE c.id = ${id} AND c.workspace = ${workspace}`,
      );
      if (row === undefined) throw noCalls([id]);
      return callOf(row);
    },
    async list({ workspace }, { app, limit }) {
      await unrecordedCalls.recorded();
      const ofApp = app === undefined ? undefined : (await findApp(database, workspace, app)).id;
      // Ids grow with time. The newest of each function are few, and found by its index.
      const rows = await overOutages(
        () => database.$queryRaw<unknown[]>`
          SELECT ${COLUMNS} FROM function_version f JOIN app a ON a.id = f.app_id
          CROSS JOIN LATERAL (SELECT * FROM call WHERE function_id = f.id ORDER BY id DESC LIMIT ${limit}) c
          WHERE f.workspace = ${workspace} AND (${ofApp ?? null}::text IS NULL OR f.app_id = ${ofApp ?? null})
          ORDER BY c.id DESC LIMIT ${limit}`,
      );
      return rows.map(callOf);
    },
    async cancel({ workspace }, { ids }) {
      await unrecordedCalls.recorded(ids);
      await cancelCalls(context, workspace, ids);
    },
    async *logs({ workspace }, input, signal) {
      if (input.of.kind === "call") await unrecordedCalls.recorded([input.of.call]);
      yield* readLogs(context, { workspace, follow: input }, signal);
    },
    async started({ workspace }, { calls }) {
      const ids = calls.map(({ id }) => id);
      await overOutages(
        () => database.$executeRaw`
          UPDATE call SET state = 'running', started_at = now() WHERE id = ANY(${ids}) AND workspace = ${workspace} AND state = 'queued'`,
      );
    },
    async carried({ workspace }, { function: functionId, message, ids }) {
      const isCarried = { functionId, OR: [{ message }, { id: message, message: null }] };
      const rows = await overOutages(() =>
        database.call.findMany({ where: { ...isCarried, workspace, endedAt: null }, select: { id: true } }),
      );
      const open = rows.map(({ id }) => id);
      // A call that had the place of the message, and not the message itself: whoever ran it is lost.
      const others = open.filter((id) => !ids.includes(id));
      if (others.length > 0) await sendEachApart(context, { id: { in: others }, workspace });
      return open.filter((id) => ids.includes(id));
    },
    sendApart: ({ workspace }, { message, ids }) => sendEachApart(context, { id: { in: ids }, workspace, message }),
    finish: ({ workspace }, { calls }) => finishCalls(context, workspace, calls),
  };
}
