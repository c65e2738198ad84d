/** What a step asks for when it asks for GPUs. */

export interface GpuRequest {
  /** Such as `T4` or `A100-80GB`; undefined for any. */
  readonly class: string | undefined;
  readonly count: number;
}

/** Reads the `gpu` of an operation: `T4`, `A100:2`, `A100-80GB` or `any`. */
export function gpuRequest(gpu: string): GpuRequest {
  const [name, count = "1"] = gpu.split(":");
  return { class: name === "any" ? undefined : name, count: Number(count) };
}

/** How the Container Device Interface names NVIDIA's GPUs. */
export const GPU_KIND = "nvidia.com/gpu";
/** The device that stands for every GPU of a machine. */
export const ALL_GPUS = "all";
