/** A function beside that of an example: what its containers see of GPUs, which are those of the stand-in. */
import { app, customBase } from "../../examples/custom-base-image.ts";

export const seenGpus = app.function({ image: customBase, gpu: "T4" }, async () => {
  const { readdir } = await import("node:fs/promises");
  const devices = (await readdir("/dev")).filter((name) => name.startsWith("lamina-test-gpu-"));
  return { variable: process.env["LAMINA_TEST_GPU"], devices: devices.length };
});
