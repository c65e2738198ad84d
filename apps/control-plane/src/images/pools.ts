/** Which pool of builders makes a layer. */
import { LaminaError, type SourceLocation } from "@lamina/api";
import type { ResolvedStep } from "@lamina/ir";
import type { Queryable } from "../database/database.ts";

export const CPU_POOL = "cpu";

/**
 * The pool of each layer, the base first, which has none. A step with a GPU runs where that class is,
 * whatever the count; `any` stays in the pool of the step before it where that is a GPU pool.
 * @param gpuPools the GPU pools with a builder that was heard of lately
 * @throws {LaminaError} POOL_UNAVAILABLE
 */
export function poolsOf(steps: readonly ResolvedStep[], gpuPools: readonly string[], { mustRun, sources }: PooledLayers): string[] {
  const pools = [""];
  for (const [index, step] of steps.entries()) {
    const gpu = "gpu" in step ? step.gpu : undefined;
    const pool = gpu === undefined ? CPU_POOL : gpuPool(gpu, gpuPools, pools.at(-1));
    if (pool !== undefined) pools.push(pool);
    else if (index + 1 < mustRun) pools.push(gpu ?? CPU_POOL);
    else throw unavailable(gpu ?? CPU_POOL, { live: gpuPools, source: sources?.[index + 1] ?? undefined });
  }
  return pools;
}

export interface PooledLayers {
  /** The first layer that may have to be made: those before it need no pool. */
  readonly mustRun: number;
  /** Where each layer's method was called, the base first. */
  readonly sources?: readonly (SourceLocation | null)[];
}

export function usesGpu(step: ResolvedStep): boolean {
  return "gpu" in step && step.gpu !== undefined;
}

/** The GPU pools of a workspace that have a live builder, in order. */
export async function liveGpuPools(database: Queryable, workspace: string): Promise<string[]> {
  const rows = await database.$queryRaw<{ pool: string }[]>`
    SELECT DISTINCT pool FROM worker
    WHERE workspace = ${workspace} AND kind = 'builder' AND pool <> ${CPU_POOL} AND heard_at > now() - interval '30 seconds'
    ORDER BY pool`;
  return rows.map(({ pool }) => pool);
}

/** How many builders of a pool were heard of lately. */
export async function liveBuilders(database: Queryable, workspace: string, pool: string): Promise<number> {
  const rows = await database.$queryRaw<{ name: string }[]>`
    SELECT name FROM worker
    WHERE workspace = ${workspace} AND kind = 'builder' AND pool = ${pool} AND heard_at > now() - interval '30 seconds'`;
  return rows.length;
}

function gpuPool(gpu: string, live: readonly string[], before: string | undefined): string | undefined {
  if (gpu === "any") return live.find((pool) => pool === before) ?? live[0];
  const [wanted] = gpu.split(":");
  return live.find((pool) => pool.toLowerCase() === wanted?.toLowerCase());
}

interface Unavailable {
  readonly live: readonly string[];
  readonly source: SourceLocation | undefined;
}

function unavailable(gpu: string, { live, source }: Unavailable): LaminaError {
  const wanted = gpu === "any" ? "a GPU" : `GPU "${gpu}"`;
  const there = live.length === 0 ? "No GPU builder is there." : `GPU builders that are there: ${live.join(", ")}.`;
  return new LaminaError({ code: "POOL_UNAVAILABLE", message: `A step asks for ${wanted}, and no builder has one. ${there}`, source });
}
