/**
 * Deploying: one transaction under the app's lock, so that what fails leaves the functions that were there.
 *
 * I1: at most one function version of a name is active in an app, and it is linked to the app's last version.
 * I2: a function that is the same as before, and whose pool is there still, keeps its version; the same functions are the same version of the app.
 */
import { type Deployment, LaminaError } from "@lamina/api";
import { v7 as uuid, validate as isUuid } from "uuid";
import type { Context } from "../context.ts";
import { inApp, type Transaction } from "../database/database.ts";
import { functionSecretsRow } from "../functions/secrets.ts";
import type { App, FunctionVersion } from "../generated/client.ts";
import { enqueue } from "../outbox/messages.ts";
import type { Sealer } from "../secrets/seal.ts";
import { deploymentOf } from "./info.ts";
import { type Deploy, type Placement, type WantedFunction, wantedFunctions } from "./wanted.ts";

type DeployContext = Pick<Context, "config" | "database" | "repositories" | "sealer" | "targets" | "wakeOutbox">;

export async function deployApp(context: DeployContext, workspace: string, deploy: Deploy): Promise<Deployment> {
  const { database, sealer, targets, wakeOutbox } = context;
  if (isUuid(deploy.app)) {
    throw new LaminaError({ code: "INVALID_INPUT", message: "An app's name cannot be a UUID: those are ids. Choose another name." });
  }
  const wanted = await wantedFunctions(context, workspace, deploy);
  const foundBy = deploy.ephemeral ?? deploy.app;
  const deployed = await inApp(database, { workspace, foundBy }, async (transaction) => {
    const app = await appFor(transaction, { workspace, foundBy, deploy });
    const before = await activeFunctions(transaction, app.id);
    const placed = wanted.map((item) => placedAfter(item, before));
    const kept = new Set(placed.flatMap(({ same }) => (same === undefined ? [] : [same.id])));
    if (app.state === "active" && before.length === placed.length && kept.size === before.length) {
      return deploymentOf(app, before);
    }
    const functions = [];
    for (const { item, same, placement } of placed) {
      functions.push(same ?? (await addFunction(transaction, sealer, { app, item, placement })));
    }
    return replaceVersion(transaction, { app, before, functions });
  });
  targets.forget();
  wakeOutbox();
  return deployed;
}

interface NewApp {
  readonly workspace: string;
  readonly foundBy: string;
  readonly deploy: Deploy;
}

/** The app, made where there is none; one that is stopped is as it was. Who deploys it wants it. */
async function appFor(transaction: Transaction, { workspace, foundBy, deploy }: NewApp): Promise<App> {
  const ephemeral = deploy.ephemeral !== undefined;
  await transaction.$executeRaw`UPDATE app SET heard_at = now() WHERE workspace = ${workspace} AND found_by = ${foundBy}`;
  const found = await transaction.app.findUnique({ where: { workspace_foundBy: { workspace, foundBy } } });
  if (found !== null) return found;
  return transaction.app.create({ data: { id: deploy.ephemeral ?? uuid(), workspace, name: deploy.app, foundBy, ephemeral } });
}

function activeFunctions(transaction: Transaction, appId: string): Promise<FunctionVersion[]> {
  return transaction.functionVersion.findMany({ where: { appId, state: "active" }, orderBy: { name: "asc" } });
}

interface PlacedFunction {
  readonly item: WantedFunction;
  readonly placement: Placement;
  /** The version that it is already. */
  readonly same: FunctionVersion | undefined;
}

function placedAfter(item: WantedFunction, before: readonly FunctionVersion[]): PlacedFunction {
  const same = before.find(({ name, hash }) => name === item.spec.name && hash === item.hash);
  const placement = item.placed(same?.pool);
  return { item, placement, same: same?.pool === placement.pool && same.gpus === placement.gpus ? same : undefined };
}

interface AddedFunction {
  readonly app: App;
  readonly item: WantedFunction;
  readonly placement: Placement;
}

function addFunction(transaction: Transaction, sealer: Sealer, { app, item, placement }: AddedFunction): Promise<FunctionVersion> {
  const { spec, image, codeManifest, values, hash } = item;
  const id = uuid();
  return transaction.functionVersion.create({
    data: {
      id,
      workspace: app.workspace,
      appId: app.id,
      name: spec.name,
      hash,
      spec,
      maxRetries: spec.retries?.max ?? 0,
      host: image.host ?? null,
      repository: image.repository,
      digest: image.digest,
      codeManifest,
      ...placement,
      sealed: Object.keys(values).length === 0 ? null : sealer.seal(functionSecretsRow(id), values),
    },
  });
}

interface Replacement {
  readonly app: App;
  readonly before: readonly FunctionVersion[];
  readonly functions: readonly FunctionVersion[];
}

async function replaceVersion(transaction: Transaction, { app, before, functions }: Replacement): Promise<Deployment> {
  const number = app.version + 1;
  const ids = functions.map(({ id }) => id);
  const replaced = before.map(({ id }) => id).filter((id) => !ids.includes(id));
  await transaction.appVersion.create({
    data: { appId: app.id, number, functions: { create: ids.map((functionId) => ({ functionId })) } },
  });
  await transaction.functionVersion.updateMany({ where: { id: { in: replaced } }, data: { state: "draining" } });
  const after = await transaction.app.update({
    where: { id: app.id },
    data: { version: number, state: "active", deployedAt: new Date() },
  });
  await enqueue(transaction, { kind: "functions-changed" });
  return deploymentOf(after, functions);
}
