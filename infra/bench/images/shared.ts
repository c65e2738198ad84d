/** An image that takes a while and that nobody has made before. */
import { Image } from "lamina";

export function shared(nonce: string): Image {
  let image = Image.debianSlim();
  for (let step = 1; step <= 5; step += 1) image = image.runCommands(`echo ${nonce}; seq 50; sleep 0.3; seq 50 > /step-${step}`);
  return image;
}
