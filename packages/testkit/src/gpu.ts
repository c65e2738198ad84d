import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { servers } from "@lamina/testkit";

/** Gives the test BuildKit a GPU in name: a CDI device that sets LAMINA_TEST_GPU. It looks into `cdi` beside its own data. */
export async function gpuStandIn(): Promise<void> {
  const { containerd } = await servers();
  const directory = dirname(dirname(containerd.hostsDirectory));
  const specification = {
    cdiVersion: "0.6.0",
    kind: "nvidia.com/gpu",
    devices: [{ name: "all", containerEdits: { env: ["LAMINA_TEST_GPU=1"] } }],
  };
  await writeFile(join(directory, "cdi", "lamina-test-gpu.json"), JSON.stringify(specification));
}
