import { type ClaimedAttempt, type ClaimInput, type ErrorInfo, faultInfo, type ImageLocation, LaminaError } from "@lamina/api";
import { Digest, ResolvedDefinition, treesOf } from "@lamina/ir";
import { credentialsIn } from "../bases/credentials.ts";
import type { Context } from "../context.ts";
import { inWorkspace, isOutage, type Transaction } from "../database/database.ts";
import { reportFault } from "../faults.ts";
import type { Attempt, AttemptLayer, Build } from "../generated/client.ts";
import { SecretSources } from "../images/secret-sources.ts";
import { valuesFor } from "../secrets/build-secrets.ts";
import { endAttempt } from "./ended.ts";
import { waitingBuilds } from "./lease.ts";

type ClaimContext = Pick<Context, "config" | "database" | "logger" | "repositories" | "sealer">;

/**
 * Gives the lease of a queued attempt to a worker; null when it is not queued any more, and was not
 * claimed by this very call. What keeps the claim from being answered, such as a secret that is gone by now, fails the attempt, since every other builder
 * would meet it too.
 */
export async function claimAttempt(context: ClaimContext, workspace: string, input: ClaimInput): Promise<ClaimedAttempt | null> {
  const { database, logger } = context;
  try {
    return await inWorkspace(database, workspace, async (transaction) => {
      const isClaimed = await takeLease(context, transaction, { workspace, ...input });
      return isClaimed ? describe(context, transaction, input.id) : null;
    });
  } catch (error) {
    if (isOutage(error)) throw error;
    const info = error instanceof LaminaError ? error.info : faultInfo(reportFault(logger, error));
    await failQueued(context, { workspace, id: input.id, error: info });
    return null;
  }
}

async function takeLease(
  { config }: ClaimContext,
  transaction: Transaction,
  { workspace, id, worker, nonce }: ClaimInput & { readonly workspace: string },
): Promise<boolean> {
  const claimed = await transaction.$executeRaw`
    UPDATE attempt SET state = 'running', worker = ${worker}, claim_nonce = ${nonce},
      token = CASE state WHEN 'queued' THEN nextval(pg_get_serial_sequence('attempt', 'token')) ELSE token END,
      lease_until = clock_timestamp() + make_interval(secs => ${config.leaseSeconds}::float8)
    WHERE id = ${id} AND workspace = ${workspace}
      AND (state = 'queued' OR (state = 'running' AND claim_nonce = ${nonce} AND lease_until > clock_timestamp()))`;
  return claimed > 0;
}

interface FailedClaim {
  readonly workspace: string;
  readonly id: string;
  readonly error: ErrorInfo;
}

async function failQueued(context: ClaimContext, { workspace, id, error }: FailedClaim): Promise<void> {
  await inWorkspace(context.database, workspace, async (transaction) => {
    const queued = await transaction.attempt.count({ where: { id, workspace, state: "queued" } });
    if (queued > 0) await endAttempt(context, transaction, { id, outcome: { state: "failed", error } });
  });
}

async function describe({ config, repositories, sealer }: ClaimContext, transaction: Transaction, id: string): Promise<ClaimedAttempt> {
  const attempt = await transaction.attempt.findUniqueOrThrow({ where: { id }, include: { layers: { orderBy: { index: "asc" } } } });
  const { workspace, token } = attempt;
  const definition = ResolvedDefinition.parse(attempt.definition);
  const { build, layers } = await wantedOf(transaction, attempt);
  const [first, ...others] = layers.map(({ index, layer, record, parentRecord }) => ({ index, id: layer, record, parentRecord }));
  if (first === undefined) throw new Error(`Attempt ${id} has no layers.`);
  return {
    token,
    leaseSeconds: config.leaseSeconds,
    definition,
    from: await fromOf(transaction, sealer, { attempt, build }),
    layers: [first, ...others],
    forcedFrom: attempt.forcedFrom ?? undefined,
    repository: repositories.images(workspace),
    trees: await treeLocations(transaction, { workspace, repository: repositories.contexts(workspace) }, stepsOf(definition, layers)),
    secrets: await secretsOf(transaction, sealer, { build, layers }),
  };
}

/**
 * Where to start. A base may lie in several registries, and not every build that waits for the attempt may have credentials for
 * each, so it is pulled from where the build found it whose values are used.
 */
async function fromOf(
  transaction: Transaction,
  sealer: ClaimContext["sealer"],
  { attempt, build }: { readonly attempt: LayeredAttempt; readonly build: Build },
): Promise<ClaimedAttempt["from"]> {
  const { fromHost, fromRepository, fromDigest, fromUser, layers } = attempt;
  const start = { digest: Digest.parse(fromDigest), user: fromUser || undefined };
  if (layers[0]?.parentRecord !== null) return { ...start, host: fromHost ?? undefined, repository: fromRepository };
  const location = { ...start, host: build.baseHost ?? undefined, repository: build.baseRepository };
  const [sources = {}] = SecretSources.parse(build.variableSources);
  if (build.baseHost === null || Object.keys(sources).length === 0) return location;
  const values = await valuesFor(transaction, sealer, { workspace: attempt.workspace, build: build.id, sources: [sources] });
  return { ...location, credentials: credentialsIn(values, "The secret") };
}

type LayeredAttempt = Attempt & { readonly layers: readonly AttemptLayer[] };

interface Wanted {
  /** The oldest build that wants all of the layers; its values are used. */
  readonly build: Build;
  readonly layers: readonly AttemptLayer[];
}

/** Several builds may wait for the first layers of an attempt, and fewer for those after them. What nobody waits for any more is not made. */
async function wantedOf(transaction: Transaction, { id, layers }: LayeredAttempt): Promise<Wanted> {
  const builds = await transaction.build.findMany({
    where: { id: { in: await waitingBuilds(transaction, id) } },
    orderBy: { id: "asc" },
  });
  for (const last of layers.toReversed()) {
    const build = builds.find((waiting) => waiting.layers[last.index] === last.layer);
    if (build !== undefined) return { build, layers: layers.filter(({ index }) => index <= last.index) };
  }
  throw new Error(`No build waits for attempt ${id}.`);
}

function stepsOf(definition: ResolvedDefinition, layers: readonly AttemptLayer[]) {
  return { steps: definition.steps.filter((_, step) => layers.some(({ index }) => index === step + 1)) };
}

interface TreePlace {
  readonly workspace: string;
  readonly repository: string;
}

async function treeLocations(
  transaction: Transaction,
  { workspace, repository }: TreePlace,
  definition: Pick<ResolvedDefinition, "steps">,
): Promise<Record<string, ImageLocation>> {
  const digests = treesOf(definition);
  const trees = await transaction.tree.findMany({ where: { workspace, digest: { in: digests } } });
  const locations = new Map(trees.map(({ digest, manifest }) => [digest, { repository, digest: Digest.parse(manifest) }]));
  const missing = digests.filter((digest) => !locations.has(digest));
  if (missing.length > 0) throw new LaminaError({ code: "CONTEXT_MISSING", message: `Local files are gone: ${missing.join(", ")}.` });
  return Object.fromEntries(locations);
}

async function secretsOf(
  transaction: Transaction,
  sealer: ClaimContext["sealer"],
  { build, layers }: Wanted,
): Promise<Record<string, string>> {
  const sources = SecretSources.parse(build.variableSources);
  const wanted = layers.map(({ index }) => sources[index] ?? {});
  return valuesFor(transaction, sealer, { workspace: build.workspace, build: build.id, sources: wanted });
}
