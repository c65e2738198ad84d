/** GPUs in name: what stands in for real ones is described to BuildKit as the driver's tools would. */
import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ALL_GPUS, CLASS_ANNOTATION, GPU_KIND } from "@lamina/servers";
import { servers } from "./client.ts";

export interface GpuStandInOptions {
  /** The directory of the servers, whose BuildKit looks into its `cdi`; those of the test run by default. */
  readonly directory?: string;
  /** The class that they say to be. */
  readonly className?: string;
}

/**
 * Gives BuildKit two GPUs, `0` and `1`, and `all` for both. Each sets LAMINA_TEST_GPU and brings a device
 * `/dev/lamina-test-gpu-<name>`, which is as `/dev/null` is. Returns the directory in which they are described, for runners.
 */
export async function gpuStandIn({ directory, className }: GpuStandInOptions = {}): Promise<string> {
  const device = (name: string) => ({
    name,
    containerEdits: {
      env: ["LAMINA_TEST_GPU=1"],
      deviceNodes: [{ path: `/dev/lamina-test-gpu-${name}`, hostPath: "/dev/null" }],
    },
  });
  const specification = {
    cdiVersion: "0.6.0",
    kind: GPU_KIND,
    ...(className !== undefined && { annotations: { [CLASS_ANNOTATION]: className } }),
    devices: ["0", "1", ALL_GPUS].map(device),
  };
  const cdi = join(directory ?? (await servers()).directory, "cdi");
  await mkdir(cdi, { recursive: true });
  // BuildKit watches the directory, so what is there has to be whole.
  const temporary = join(dirname(cdi), `gpu-${randomUUID()}.tmp`);
  await writeFile(temporary, JSON.stringify(specification));
  await rename(temporary, join(cdi, "lamina-test-gpu.json"));
  return cdi;
}
