/** What a deployment asks for, with everything filled in that the platform knows. Nothing is changed here. */
import { type DeployInput, type ImageLocation, LaminaError } from "@lamina/api";
import { canonicalJson, gpuRequest } from "@lamina/ir";
import { createHmac } from "node:crypto";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { SecretsOfFunction, StoredFunction } from "../functions/spec.ts";
import { CPU_POOL, fittingPool, type GpuPool, liveGpuPools, poolsThereAre } from "../images/pools.ts";
import { findImage } from "../runs/image.ts";
import { checkNames, checkValues, variablesOfSecrets } from "../secrets/service.ts";

export type Deploy = z.output<typeof DeployInput>;

/** A function that is to be deployed. */
export interface WantedFunction {
  readonly spec: StoredFunction;
  readonly image: ImageLocation;
  readonly codeManifest: string;
  /** The values of its inline secrets. */
  readonly values: Readonly<Record<string, string>>;
  /** The same for what is the same function. Nobody who reads the database can try values on it, since it is made with the platform's key. */
  readonly hash: string;
  /** Where it is to run: in that pool if it fits. */
  placed(preferred: string | undefined): Placement;
}

export interface Placement {
  readonly pool: string;
  readonly gpus: number;
}

type WantedContext = Pick<Context, "config" | "database" | "repositories">;

/** @throws {LaminaError} NOT_FOUND for an image, CONTEXT_MISSING, POOL_UNAVAILABLE, SECRET_MISSING, INVALID_INPUT */
export async function wantedFunctions(context: WantedContext, workspace: string, deploy: Deploy): Promise<WantedFunction[]> {
  const { config, database } = context;
  const { functions, secrets } = deploy;
  requireOnce(functions.map(({ name }) => name));
  checkNames(Object.keys(secrets));
  checkValues(secrets);
  await requireNamedSecrets(context, workspace, functions);
  const manifests = await manifestsOf(context, workspace, functions);
  const usesGpu = functions.some(({ gpu }) => gpu.length > 0);
  const live = usesGpu ? await overOutages(() => liveGpuPools(database, workspace, "runner")) : [];
  const locations = new Map<string, ImageLocation>();
  for (const { image } of functions) if (!locations.has(image)) locations.set(image, await findImage(context, workspace, image));
  return functions.map((spec) => {
    const [image, codeManifest] = [locations.get(spec.image), manifests.get(spec.code)];
    if (image === undefined || codeManifest === undefined) throw new Error(`Function ${spec.name} has lost its image or its code.`);
    const values = inlineValues(spec, secrets);
    const hash = createHmac("sha256", config.secretKey)
      .update(canonicalJson({ is: "a function", spec, image, values }))
      .digest("hex");
    const wanted: WantedFunction = { spec, image, codeManifest, values, hash, placed: (pool) => placement(spec, live, pool) };
    wanted.placed(undefined);
    return wanted;
  });
}

function requireOnce(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new LaminaError({
    code: "INVALID_INPUT",
    message: `The app has two functions with the name ${twice}. Give one of them another name.`,
  });
}

function placement({ name, gpu }: StoredFunction, live: readonly GpuPool[], preferred: string | undefined): Placement {
  if (gpu.length === 0) return { pool: CPU_POOL, gpus: 0 };
  const requests = gpu.map(gpuRequest);
  const wrong = requests.findIndex(({ count }) => !Number.isInteger(count) || count < 1);
  if (wrong >= 0) {
    const message = `Function ${name}: "${gpu[wrong]}" is no GPU request. One is a class, such as "T4", with a count, as in "A100:2", or "any".`;
    throw new LaminaError({ code: "INVALID_INPUT", message });
  }
  for (const request of requests) {
    const pool = fittingPool(request, live, preferred);
    if (pool !== undefined) return { pool, gpus: request.count };
  }
  const wanted = gpu.map((request) => `"${request}"`).join(" or ");
  const message = `Function ${name} asks for GPU ${wanted}, and no pool of runners has that. ${poolsThereAre(live, "runner")}`;
  throw new LaminaError({ code: "POOL_UNAVAILABLE", message });
}

function inlineValues({ name, secrets }: StoredFunction, given: Readonly<Record<string, string>>): Record<string, string> {
  const variables = secrets.flatMap((secret) => (secret.kind === "inline" ? secret.variables : []));
  return Object.fromEntries(
    variables.map((variable) => {
      const value = given[variable];
      if (value !== undefined) return [variable, value];
      const message = `Function ${name} has a secret with ${variable}, whose value did not come with the deployment.`;
      throw new LaminaError({ code: "SECRET_MISSING", message });
    }),
  );
}

interface WithSecrets {
  readonly name: string;
  readonly secrets: SecretsOfFunction;
}

async function requireNamedSecrets({ database }: WantedContext, workspace: string, functions: readonly WithSecrets[]): Promise<void> {
  const uses = functions.flatMap(({ name, secrets }) =>
    secrets.flatMap((secret) => (secret.kind === "named" ? [{ name, secret: secret.name }] : [])),
  );
  const known = await overOutages(() =>
    variablesOfSecrets(
      database,
      workspace,
      uses.map(({ secret }) => secret),
    ),
  );
  const missing = uses.find(({ secret }) => !known.has(secret));
  if (missing === undefined) return;
  const message = `Function ${missing.name} uses the secret "${missing.secret}", which there is not. \`lamina secret set ${missing.secret} …\` sets it.`;
  throw new LaminaError({ code: "SECRET_MISSING", message });
}

/** The manifest of each tree of code. */
async function manifestsOf(
  { database }: WantedContext,
  workspace: string,
  functions: readonly { readonly name: string; readonly code: string }[],
): Promise<Map<string, string>> {
  const digests = [...new Set(functions.map(({ code }) => code))];
  const trees = await overOutages(() => database.tree.findMany({ where: { workspace, digest: { in: digests } } }));
  const manifests = new Map(trees.map(({ digest, manifest }) => [digest, manifest]));
  const missing = functions.find(({ code }) => !manifests.has(code));
  if (missing === undefined) return manifests;
  const message = `The code of function ${missing.name} was not uploaded: there is no tree ${missing.code}. Deploy again: it is sent then.`;
  throw new LaminaError({ code: "CONTEXT_MISSING", message });
}
