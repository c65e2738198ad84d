/** How apps end. */
import { cancelAllCalls } from "../calls/cancel.ts";
import type { Context } from "../context.ts";
import { inApp, overOutages, type Transaction } from "../database/database.ts";
import { lockFunctions, stopFunctions } from "../functions/stop.ts";
import type { App } from "../generated/client.ts";

type StopContext = Pick<Context, "database" | "targets" | "unrecordedCalls" | "wakeOutbox">;

/** Ends an app with its calls. `still` is asked under its lock whether that is wanted. */
export async function stopApp(
  { database, targets, unrecordedCalls, wakeOutbox }: StopContext,
  { id, workspace, foundBy }: Pick<App, "id" | "workspace" | "foundBy">,
  still: (transaction: Transaction) => Promise<boolean> = async () => true,
): Promise<void> {
  // So that they are cancelled with the others.
  await unrecordedCalls.recorded();
  await inApp(database, { workspace, foundBy }, async (transaction) => {
    if (!(await still(transaction))) return;
    await transaction.$executeRaw`UPDATE app SET state = 'stopped', heard_at = clock_timestamp() WHERE id = ${id}`;
    const rows = await transaction.functionVersion.findMany({ where: { appId: id, state: { not: "stopped" } }, select: { id: true } });
    const functions = await lockFunctions(
      transaction,
      rows.map((row) => row.id),
    );
    await cancelAllCalls(transaction, functions);
    await stopFunctions(transaction, functions);
  });
  targets.forget();
  wakeOutbox();
}

/** Ephemeral apps that nobody has asked to keep for so long. */
export async function stopUnwanted(context: StopContext, seconds: number): Promise<void> {
  const { database } = context;
  const unwanted = await overOutages(
    () => database.$queryRaw<Pick<App, "id" | "workspace" | "foundBy">[]>`
      SELECT id, workspace, found_by AS "foundBy" FROM app
      WHERE ephemeral AND state = 'active' AND heard_at < clock_timestamp() - make_interval(secs => ${seconds}::float8)`,
  );
  for (const app of unwanted) {
    await stopApp(context, app, async (transaction) => {
      const still = await transaction.$queryRaw<unknown[]>`
        SELECT id FROM app WHERE id = ${app.id} AND state = 'active' AND heard_at < clock_timestamp() - make_interval(secs => ${seconds}::float8)`;
      return still.length > 0;
    });
  }
}
