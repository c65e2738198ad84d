/**
 * A base of one's own choice, with Python put into it. EXAMPLE_REGISTRY says which registry has the base, and
 * EXAMPLE_PACKAGE_INDEX which index has the packages; without them they are the public ones. (The tests have a Debian without
 * Python under the name of the base, and small wheels of these names, since the real ones are several gigabytes.)
 */
import { App, Image } from "lamina";

const registry = process.env["EXAMPLE_REGISTRY"];
const indexUrl = process.env["EXAMPLE_PACKAGE_INDEX"];
const base = "nvidia/cuda:11.8-devel-ubuntu22.04";

export const customBase = Image.fromRegistry(registry === undefined ? base : `${registry}/${base}`)
  .aptInstall("python3", "python3-pip", "python3-dev")
  .runCommands("ln -s /usr/bin/python3 /usr/bin/python", "pip install --upgrade pip")
  .pipInstall("torch", "torchvision", "transformers", { indexUrl })
  .env({ CUDA_VISIBLE_DEVICES: "0" });

export const app = new App("gpu-ml");

/** How large the last hidden state of a model is for a text. */
export const runInference = app.function({ image: customBase }, async (model: string, text: string) => {
  const { execFileSync } = await import("node:child_process");
  const code = `
import sys, torch
from transformers import AutoModel, AutoTokenizer
tokenizer, model = AutoTokenizer.from_pretrained(sys.argv[1]), AutoModel.from_pretrained(sys.argv[1])
with torch.no_grad():
    print(model(**tokenizer(sys.argv[2], return_tensors="pt")).last_hidden_state.shape)`;
  return execFileSync("python", ["-c", code, model, text], { encoding: "utf8" }).trim();
});
