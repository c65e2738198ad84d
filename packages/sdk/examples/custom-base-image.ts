/**
 * A base of one's own choice, with Python put into it. EXAMPLE_REGISTRY says which registry has the base; without it that is the
 * public one. (The tests have Debian and its PyTorch under the name of the base, since those of CUDA are several gigabytes.)
 */
import { App, Image } from "lamina";

const registry = process.env["EXAMPLE_REGISTRY"];
const base = "nvidia/cuda:11.8-devel-ubuntu22.04";

export const customBase = Image.fromRegistry(registry === undefined ? base : `${registry}/${base}`)
  .aptInstall("python3", "python3-pip", "python3-dev")
  .runCommands("ln -s /usr/bin/python3 /usr/bin/python", "pip install --upgrade pip")
  .pipInstall("torch", "torchvision", "transformers")
  .env({ CUDA_VISIBLE_DEVICES: "0" });

export const app = new App("gpu-ml");

/** What a model of a hub, or of a directory, makes of a text. It is in `gpu_ml.py`, and needs a GPU. */
export const runInference = app.function<(model: string, text: string) => { embeddings_shape: number[]; mean_embedding: number }>({
  image: customBase,
  gpu: "T4",
  python: "gpu_ml:run_inference",
});
