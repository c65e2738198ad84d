/** Which layers of a chain are there, and which are in the making. */
import type { Queryable } from "../database/database.ts";

/** The layers of one definition in one workspace. */
export interface Chain {
  readonly workspace: string;
  /** Layer ids, the base first. */
  readonly layers: readonly string[];
  /** The first layer that has to be made anew. */
  readonly forcedFrom: number | null;
  /** The build that asks; null for a plan. What is forced must have been made after it was asked for. */
  readonly build: string | null;
}

/** The deepest layer that is there. The base always is, and has no record. */
export interface Hit {
  readonly index: number;
  readonly record: { readonly id: string; readonly digest: string } | null;
}

/** A layer of an attempt that was begun after a forced build was asked for, and that itself forces this layer. */
export interface FreshLayer {
  readonly index: number;
  readonly record: string;
  readonly parentRecord: string | null;
  readonly attempt: string;
  /** Whether the attempt has not ended. */
  readonly active: boolean;
  /** Of the image, once it was published. */
  readonly digest: string | null;
}

export interface ChainState {
  readonly hit: Hit;
  /** The attempt that is making each layer after the hit that somebody makes, and that this build may join. */
  readonly inTheMaking: ReadonlyMap<number, string>;
}

export async function stateOf(database: Queryable, chain: Chain): Promise<ChainState> {
  const fresh = await freshLayers(database, chain);
  const forced = deepestFresh(fresh);
  const hit = forced ?? (await deepestRecord(database, chain));
  const inTheMaking = new Map([...(await activeLayers(database, chain, hit.index)), ...unpublished(fresh, hit.index)]);
  return { hit, inTheMaking };
}

/**
 * Of the layers that may count for a forced build, those whose ancestors down to the first forced one
 * may too: a record on top of an older one is not what was asked for.
 */
export function wholeChains(candidates: readonly FreshLayer[], forcedFrom: number): FreshLayer[] {
  const byRecord = new Map(candidates.map((layer) => [layer.record, layer]));
  const isWhole = ({ index, parentRecord }: FreshLayer): boolean => {
    if (index <= forcedFrom) return true;
    const parent = parentRecord === null ? undefined : byRecord.get(parentRecord);
    return parent !== undefined && isWhole(parent);
  };
  return candidates.filter(isWhole);
}

function deepestFresh(layers: readonly FreshLayer[]): Hit | undefined {
  let deepest: FreshLayer | undefined;
  for (const layer of layers) {
    if (layer.digest === null) continue;
    const deeper = deepest === undefined || layer.index > deepest.index || (layer.index === deepest.index && layer.record > deepest.record);
    if (deeper) deepest = layer;
  }
  if (deepest === undefined || deepest.digest === null) return undefined;
  return { index: deepest.index, record: { id: deepest.record, digest: deepest.digest } };
}

/** The newest attempt decides where several make the same layer. */
function unpublished(layers: readonly FreshLayer[], after: number): Map<number, string> {
  const oldestFirst = layers
    .filter(({ index, active, digest }) => active && digest === null && index > after)
    .sort((a, b) => (a.record < b.record ? -1 : 1));
  return new Map(oldestFirst.map(({ index, attempt }) => [index, attempt]));
}

async function freshLayers(database: Queryable, { workspace, layers, forcedFrom, build }: Chain): Promise<FreshLayer[]> {
  if (forcedFrom === null || build === null) return [];
  const candidates = await database.$queryRaw<FreshLayer[]>`
    SELECT l.index, l.record, l.parent_record AS "parentRecord", l.attempt_id AS attempt,
      a.state IN ('queued', 'running') AS active, r.digest
    FROM attempt_layer l
    JOIN attempt a ON a.id = l.attempt_id
    JOIN build b ON b.id = ${build}
    LEFT JOIN record r ON r.id = l.record
    WHERE l.layer = ANY(${layers.slice(forcedFrom)}) AND a.workspace = ${workspace}
      AND a.created_at >= b.created_at AND a.forced_from <= l.index`;
  return wholeChains(candidates, forcedFrom);
}

/** The newest record of the deepest layer that has one. What is forced is left out. */
async function deepestRecord(database: Queryable, { workspace, layers, forcedFrom }: Chain): Promise<Hit> {
  const usable = layers.slice(1, forcedFrom ?? layers.length);
  if (usable.length === 0) return { index: 0, record: null };
  const rows = await database.$queryRaw<{ id: string; layer: string; digest: string }[]>`
    SELECT DISTINCT ON (layer) id, layer, digest FROM record
    WHERE workspace = ${workspace} AND layer = ANY(${usable})
    ORDER BY layer, id DESC`;
  const newest = new Map(rows.map((row) => [row.layer, row]));
  for (let index = usable.length; index > 0; index -= 1) {
    const record = newest.get(layers[index] ?? "");
    if (record !== undefined) return { index, record: { id: record.id, digest: record.digest } };
  }
  return { index: 0, record: null };
}

/** What is forced is left out here too. */
async function activeLayers(database: Queryable, { workspace, layers, forcedFrom }: Chain, after: number): Promise<Map<number, string>> {
  const usable = layers.slice(after + 1, forcedFrom ?? layers.length);
  if (usable.length === 0) return new Map();
  const rows = await database.$queryRaw<{ layer: string; attempt: string }[]>`
    SELECT l.layer, l.attempt_id AS attempt
    FROM attempt_layer l
    JOIN attempt a ON a.id = l.attempt_id
    WHERE l.layer = ANY(${usable}) AND a.workspace = ${workspace} AND a.state IN ('queued', 'running')
      AND NOT EXISTS (SELECT FROM record r WHERE r.id = l.record)
    ORDER BY l.record`;
  const attempts = new Map(rows.map(({ layer, attempt }) => [layer, attempt]));
  return new Map(
    usable.flatMap((layer, offset) => {
      const attempt = attempts.get(layer);
      return attempt === undefined ? [] : [[after + 1 + offset, attempt] as const];
    }),
  );
}
