import { type ClaimedAttempt, type ClaimInput, type ImageLocation, LaminaError } from "@lamina/api";
import { Digest, ResolvedDefinition, treesOf } from "@lamina/ir";
import type { Context } from "../context.ts";
import { inWorkspace, type Transaction } from "../database/database.ts";
import type { Attempt, AttemptLayer } from "../generated/client.ts";
import { SecretSources } from "../images/secret-sources.ts";
import { valuesFor } from "../secrets/build-secrets.ts";
import { endAttempt } from "./ended.ts";
import { waitingBuilds } from "./lease.ts";

type ClaimContext = Pick<Context, "config" | "database" | "repositories" | "sealer">;

/**
 * Gives the lease of a queued attempt to a worker; null when it is not queued any more. A secret that is
 * gone by now fails the attempt, since no other builder would find it either.
 */
export async function claimAttempt(context: ClaimContext, workspace: string, { id, worker }: ClaimInput): Promise<ClaimedAttempt | null> {
  return inWorkspace(context.database, workspace, async (transaction) => {
    const [claimed] = await transaction.$queryRaw<{ token: number }[]>`
      UPDATE attempt SET state = 'running', worker = ${worker}, token = nextval(pg_get_serial_sequence('attempt', 'token')),
        lease_until = clock_timestamp() + make_interval(secs => ${context.config.leaseSeconds}::float8)
      WHERE id = ${id} AND workspace = ${workspace} AND state = 'queued'
      RETURNING token`;
    if (claimed === undefined) return null;
    try {
      return await describe(context, transaction, id);
    } catch (error) {
      if (!(error instanceof LaminaError)) throw error;
      await endAttempt(context, transaction, { id, outcome: { state: "failed", error: error.info } });
      return null;
    }
  });
}

async function describe({ config, repositories, sealer }: ClaimContext, transaction: Transaction, id: string): Promise<ClaimedAttempt> {
  const attempt = await transaction.attempt.findUniqueOrThrow({ where: { id }, include: { layers: { orderBy: { index: "asc" } } } });
  const { workspace, token, layers } = attempt;
  const definition = ResolvedDefinition.parse(attempt.definition);
  const [first, ...others] = layers.map(({ index, layer, record, parentRecord }) => ({ index, id: layer, record, parentRecord }));
  if (first === undefined) throw new Error(`Attempt ${id} has no layers.`);
  return {
    token,
    leaseSeconds: config.leaseSeconds,
    definition,
    from: fromOf(attempt),
    layers: [first, ...others],
    forcedFrom: attempt.forcedFrom ?? undefined,
    repository: repositories.images(workspace),
    trees: await treeLocations(transaction, { workspace, repository: repositories.contexts(workspace) }, stepsOf(definition, layers)),
    secrets: await secretsOf(transaction, sealer, attempt),
  };
}

function fromOf(attempt: Attempt): ClaimedAttempt["from"] {
  return {
    host: attempt.fromHost ?? undefined,
    repository: attempt.fromRepository,
    digest: Digest.parse(attempt.fromDigest),
    user: attempt.fromUser || undefined,
  };
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

/** The values of the oldest build that waits for the attempt. */
async function secretsOf(
  transaction: Transaction,
  sealer: ClaimContext["sealer"],
  attempt: Attempt & { readonly layers: readonly AttemptLayer[] },
): Promise<Record<string, string>> {
  const [oldest] = await waitingBuilds(transaction, attempt.id);
  if (oldest === undefined) return {};
  const build = await transaction.build.findUniqueOrThrow({ where: { id: oldest } });
  const sources = SecretSources.parse(build.variableSources);
  const wanted = attempt.layers.map(({ index }) => sources[index] ?? {});
  return valuesFor(transaction, sealer, { workspace: attempt.workspace, build: oldest, sources: wanted });
}
