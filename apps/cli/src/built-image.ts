/** Images as commands name them that run something in one. */
import { badInput, type Client } from "lamina";
import { buildShown } from "./build-shown.ts";
import type { Output } from "./output.ts";
import { findImage } from "./platform/find.ts";
import { loadImages, parseTarget } from "./user-file/load.ts";

const FULL_ID = /^[0-9a-f]{64}$/;
const PART_OF_ID = /^[0-9a-f]{1,63}$/;

export interface ImageContext {
  readonly client: Client;
  readonly output: Output;
  /** Cancels its build. */
  readonly signal: AbortSignal;
}

/** Whether it names an image that was built, by its id or a reference. */
export function isBuilt(image: string): boolean {
  return PART_OF_ID.test(image) || FULL_ID.test(image) || image.includes("@sha256:");
}

/** What the platform knows the image by. That of a file is built first. */
export async function imageOf(image: string, context: ImageContext): Promise<string> {
  if (FULL_ID.test(image) || image.includes("@sha256:")) return image;
  if (PART_OF_ID.test(image)) return (await findImage(context.client, image)).id;
  const [first, ...others] = await loadImages(parseTarget(image));
  if (others.length > 0) {
    const names = [first, ...others].map(({ name }) => `${image}#${name}`);
    throw badInput("invalid-usage", `${image} exports several images. Name one: ${names.join(", ")}`);
  }
  return (await buildShown(first, { ...context, brief: true })).ref;
}
