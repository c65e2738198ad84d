/** Ten small layers that nobody has made before. */
import { Image } from "lamina";

export function tenLayers(nonce: string): Image {
  let image = Image.debianSlim();
  for (let step = 1; step <= 10; step += 1) image = image.runCommands(`echo ${nonce} ${step} > /step-${step}`);
  return image;
}

export const image = tenLayers(process.env["BENCH_NONCE"] ?? "");
