import type { BuiltImage, Services } from "@lamina/api";
import { Digest, treesOf } from "@lamina/ir";
import type { Context } from "../context.ts";
import { type Database, overOutages, type Queryable } from "../database/database.ts";
import { type Chain, type ChainState, stateOf } from "./chain.ts";
import { plannedLayers } from "./planned-layers.ts";
import { livePoolsOf } from "./pools.ts";
import { type ResolvedRequest, resolveRequest } from "./request.ts";

export function createImagesService(context: Context): Services["images"] {
  const { database } = context;
  return {
    async plan({ workspace }, input) {
      const request = await resolveRequest(context, workspace, input);
      const { hit } = await chainStateWithImport(context, request);
      const { definition, image, base, layers, asWritten } = request;
      const toMake = { steps: definition.steps, mustRun: hit.index + 1, sources: input.sources };
      if (input.forExport !== true) await livePoolsOf(database, workspace, toMake);
      const trees = treesOf({ steps: definition.steps.slice(hit.index) });
      return {
        image,
        platform: definition.platform,
        definition,
        base: { reference: base.reference, user: base.user || undefined },
        layers: await overOutages(() => plannedLayers(database, { layers, definition: asWritten, baseBytes: base.bytes }, hit)),
        missingTrees: await overOutages(() => missingTrees(database, workspace, trees)),
      };
    },
    list: ({ workspace }) => overOutages(() => builtImages(database, workspace)),
  };
}

/** The state of a request's chain, after a look into the registry for layers that are missing here. */
export async function chainStateWithImport(context: ChainContext, request: ResolvedRequest): Promise<ChainState> {
  const { workspace, layers, forcedFrom } = request;
  const chain = { workspace, layers, forcedFrom, build: null };
  const state = await presentState(context, chain);
  const missing = layers.slice(state.hit.index + 1, forcedFrom ?? layers.length);
  if (missing.length === 0) return state;
  await context.recordImport.importDeepest(workspace, missing);
  return presentState(context, chain);
}

type ChainContext = Pick<Context, "database" | "recordImport" | "imagePresence">;

/** A record whose image the registry does not have any more is dropped, and the next deepest one counts. */
async function presentState({ database, imagePresence }: ChainContext, chain: Chain): Promise<ChainState> {
  const { workspace } = chain;
  for (;;) {
    const state = await overOutages(() => stateOf(database, chain));
    const { record } = state.hit;
    if (record === null || (await imagePresence.isThere(workspace, record.digest))) return state;
    await overOutages(() => database.record.deleteMany({ where: { workspace, digest: record.digest } }));
  }
}

/** Of these trees, those that the registry does not hold whole. */
export async function missingTrees(database: Queryable, workspace: string, trees: readonly Digest[]): Promise<Digest[]> {
  if (trees.length === 0) return [];
  const rows = await database.tree.findMany({ where: { workspace, digest: { in: [...trees] } }, select: { digest: true } });
  const known = new Set(rows.map(({ digest }) => digest));
  return trees.filter((tree) => !known.has(tree));
}

interface BuiltRow {
  readonly id: string;
  readonly name: string | null;
  readonly ref: string;
  readonly digest: string;
  readonly layers: number;
  readonly bytes: number;
  readonly createdAt: Date;
}

/** The newest build of each image that is done, the newest image first; its size is that of its base and of its records. */
async function builtImages(database: Database, workspace: string): Promise<BuiltImage[]> {
  const rows = await database.$queryRaw<BuiltRow[]>`
    WITH RECURSIVE newest AS (
      SELECT DISTINCT ON (image) * FROM build
      WHERE workspace = ${workspace} AND state = 'done'
      ORDER BY image, ended_at DESC
    ), ancestor AS (
      SELECT n.id AS build, r.bytes, r.parent FROM newest n JOIN record r ON r.id = n.record
      UNION ALL
      SELECT ancestor.build, r.bytes, r.parent FROM record r JOIN ancestor ON r.id = ancestor.parent
    )
    SELECT n.image AS id, n.name, n.ref, n.digest, cardinality(n.layers) AS layers, n.ended_at AS "createdAt",
      (n.base_bytes + coalesce((SELECT sum(bytes) FROM ancestor WHERE build = n.id), 0))::float8 AS bytes
    FROM newest n
    ORDER BY n.ended_at DESC`;
  return rows.map((row) => ({
    ...row,
    name: row.name ?? undefined,
    digest: Digest.parse(row.digest),
    createdAt: row.createdAt.toISOString(),
  }));
}
