/** Pools of workers: which one makes a layer, and which has the GPU that is asked for. */
import { CPU_POOL, LaminaError, type SourceLocation, type Worker } from "@lamina/api";
import { type GpuRequest, gpuRequest, type ResolvedStep } from "@lamina/ir";
import { type Database, overOutages, type Queryable } from "../database/database.ts";

/**
 * The pool of each layer, the base first, which has none. A step with a GPU runs where that class is and where there are as
 * many as it asks for; `any` stays in the pool of the step before it where that is a GPU pool.
 * @throws {LaminaError} POOL_UNAVAILABLE
 */
export function poolsOf(steps: readonly ResolvedStep[], gpuPools: readonly GpuPool[], { mustRun, sources }: PooledLayers): string[] {
  const pools = [""];
  for (const [index, step] of steps.entries()) {
    const gpu = gpuOf(step);
    const pool = gpu === undefined ? CPU_POOL : fittingPool(gpuRequest(gpu), gpuPools, pools.at(-1));
    if (pool !== undefined) pools.push(pool);
    else if (index + 1 < mustRun) pools.push(gpu ?? CPU_POOL);
    else throw unavailable(gpu ?? CPU_POOL, gpuPools, sources?.[index + 1] ?? undefined);
  }
  return pools;
}

/** The same by the pools that live now, which are asked for only where a step has a GPU. */
export async function livePoolsOf(database: Database, workspace: string, { steps, ...layers }: StepsInPools): Promise<string[]> {
  const gpuPools = steps.some(usesGpu) ? await overOutages(() => liveGpuPools(database, workspace, "builder")) : [];
  return poolsOf(steps, gpuPools, layers);
}

export interface StepsInPools extends PooledLayers {
  readonly steps: readonly ResolvedStep[];
}

export interface PooledLayers {
  /** The first layer that may have to be made: those before it need no pool. */
  readonly mustRun: number;
  /** Where each layer's method was called, the base first. */
  readonly sources?: readonly (SourceLocation | null)[] | undefined;
}

function usesGpu(step: ResolvedStep): boolean {
  return gpuOf(step) !== undefined;
}

/** A pool of workers with GPUs. */
export interface GpuPool {
  readonly name: string;
  /** How many each of its workers has. */
  readonly gpus: number;
}

export type WorkerKind = Worker["kind"];

/** The GPU pools of a workspace that have a live worker of that kind, in order. Where those of a pool differ, the least counts: any may take the work. */
export async function liveGpuPools(database: Queryable, workspace: string, kind: WorkerKind): Promise<GpuPool[]> {
  return database.$queryRaw<GpuPool[]>`
    SELECT pool AS name, min(gpus) AS gpus FROM worker
    WHERE workspace = ${workspace} AND kind = ${kind} AND pool <> ${CPU_POOL} AND heard_at > now() - interval '30 seconds'
    GROUP BY pool ORDER BY pool`;
}

/** How many builders of a pool were heard of lately. */
export async function liveBuilders(database: Queryable, workspace: string, pool: string): Promise<number> {
  const rows = await database.$queryRaw<{ name: string }[]>`
    SELECT name FROM worker
    WHERE workspace = ${workspace} AND kind = 'builder' AND pool = ${pool} AND heard_at > now() - interval '30 seconds'`;
  return rows.length;
}

function gpuOf(step: ResolvedStep): string | undefined {
  return "gpu" in step ? step.gpu : undefined;
}

/** The first pool that fits; that one if it does that is asked for. */
export function fittingPool(wanted: GpuRequest, live: readonly GpuPool[], preferred: string | undefined): string | undefined {
  const fitting = live.filter(({ name, gpus }) => gpus >= wanted.count && (wanted.class === undefined || isClass(name, wanted.class)));
  return (fitting.find(({ name }) => name === preferred) ?? fitting[0])?.name;
}

function isClass(pool: string, wanted: string): boolean {
  return pool.toLowerCase() === wanted.toLowerCase();
}

function unavailable(gpu: string, live: readonly GpuPool[], source: SourceLocation | undefined): LaminaError {
  const wanted = gpu === "any" ? "a GPU" : `GPU "${gpu}"`;
  const message = `A step asks for ${wanted}, and no pool of builders has that. ${poolsThereAre(live, "builder")}`;
  return new LaminaError({ code: "POOL_UNAVAILABLE", message, source });
}

/** A sentence that names the pools. */
export function poolsThereAre(live: readonly GpuPool[], kind: WorkerKind): string {
  const pools = [CPU_POOL, ...live.map(({ name, gpus }) => `${name} (${gpus} GPU${gpus === 1 ? "" : "s"} a ${kind})`)];
  return `The pools that there are: ${pools.join(", ")}.`;
}
