/** What a shell was asked for: the image, or the function, and the pool whose runners have it. */
import { CPU_POOL, type OpenShellInput, type ShellRequest } from "@lamina/api";
import { noFunction } from "../apps/find.ts";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import { servedFunctions } from "../functions/served.ts";
import { findImage } from "../runs/image.ts";

export interface ShellPlace {
  readonly pool: string;
  readonly of: ShellRequest["of"];
}

type TargetContext = Pick<Context, "config" | "database" | "repositories">;

/** @throws {LaminaError} NOT_FOUND, INVALID_INPUT */
export async function placeOf(context: TargetContext, workspace: string, of: OpenShellInput["of"]): Promise<ShellPlace> {
  if (of.kind === "image") {
    return { pool: CPU_POOL, of: { kind: "image", image: await findImage(context, workspace, of.image) } };
  }
  const { database } = context;
  const { app, function: name } = of;
  const version = await overOutages(() =>
    database.functionVersion.findFirst({
      where: { workspace, name, state: "active", app: { foundBy: app } },
      select: { id: true, pool: true },
    }),
  );
  const served = version && (await servedFunctions(context, workspace, version.pool)).find(({ id }) => id === version.id);
  if (!served) throw await noFunction(database, workspace, of);
  return { pool: version.pool, of: { kind: "function", function: served } };
}
