/** The layers of a chain as a plan shows them. */
import type { PlannedLayer } from "@lamina/api";
import type { Definition } from "@lamina/ir";
import type { Queryable } from "../database/database.ts";
import type { Hit } from "./chain.ts";

export interface PlannedChain {
  /** Layer ids, the base first. */
  readonly layers: readonly string[];
  readonly definition: Definition;
  readonly baseBytes: number;
}

export async function plannedLayers(
  database: Queryable,
  { layers, definition, baseBytes }: PlannedChain,
  hit: Hit,
): Promise<PlannedLayer[]> {
  const bytes = await bytesOfAncestors(database, hit);
  const operations = [definition.base, ...definition.steps].map(({ kind }) => kind);
  return layers.map((id, index) => ({
    id,
    operation: operations[index] ?? "base",
    status: index <= hit.index ? ("hit" as const) : ("missing" as const),
    bytes: index === 0 ? baseBytes : bytes.get(id),
  }));
}

/** What each layer added, from a record down through those that it was built on. */
async function bytesOfAncestors(database: Queryable, { record }: Hit): Promise<Map<string, number>> {
  if (record === null) return new Map();
  const rows = await database.$queryRaw<{ layer: string; bytes: number }[]>`
    WITH RECURSIVE ancestor AS (
      SELECT layer, bytes, parent FROM record WHERE id = ${record.id}
      UNION ALL
      SELECT r.layer, r.bytes, r.parent FROM record r JOIN ancestor ON r.id = ancestor.parent
    )
    SELECT layer, bytes::float8 AS bytes FROM ancestor`;
  return new Map(rows.map(({ layer, bytes }) => [layer, bytes]));
}
