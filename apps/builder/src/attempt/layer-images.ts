/**
 * The images of a segment's layers, pushed by digest and published as records. An image is that of
 * its stage, so pushing it again, or one inside the chain, makes nothing anew.
 *
 * I1: an image is a layer of the segment only if it begins with exactly the blobs of the layer before
 *     it, and the last image with exactly its own; anything else would mix two makings of the same steps.
 * I2: a layer is published once, and only while the attempt goes on.
 */
import { LaminaError } from "@lamina/api";
import { type Descriptor, isIndex, isRegistryError, type Repository } from "@lamina/registry";
import type { SolvedImage } from "../buildkit/buildkit.ts";

export interface LayerImagesOptions {
  /** The image that the segment starts from. */
  readonly from: { readonly repository: Repository; readonly digest: string };
  /** How many blobs each layer adds to the image. */
  readonly adds: (layer: number) => number;
  /** Where the images are pushed. */
  readonly repository: Repository;
  /** Makes the stage of a layer, by its place in the segment, and pushes its image. */
  readonly push: (layer: number) => Promise<SolvedImage>;
  /** Keeps the record of a layer. */
  readonly record: (layer: number, image: { digest: string; bytes: number }) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface LayerImages {
  /** The image of the last layer was pushed already. */
  pushed(layer: number, image: SolvedImage): void;
  /** Has the image that the segment starts from ready, so that publishing need not wait for it. */
  prepare(): void;
  /** Publishes a layer, unless it is published already. */
  publish(layer: number): Promise<void>;
}

export function layerImages(options: LayerImagesOptions): LayerImages {
  const { from, adds, repository, push, record, signal } = options;
  const images = new Map<number, Promise<LayerImage>>();
  const published = new Map<number, Promise<void>>();

  const imageOf = (layer: number): Promise<LayerImage> =>
    once(images, layer, async () => {
      if (layer < 0) return { digest: from.digest, blobs: await blobsOf(from.repository, from.digest, signal) };
      const { digest } = await push(layer);
      return { digest, blobs: await blobsOf(repository, digest, signal) };
    });

  let last: { readonly layer: number; readonly image: Promise<LayerImage> } | undefined;
  /** The blobs of the image on which a layer lies. Those of the last layer's are told from it, so that nobody waits for that image. */
  const parentOf = async (layer: number): Promise<readonly Descriptor[]> => {
    if (layer !== last?.layer || images.has(layer - 1)) return (await imageOf(layer - 1)).blobs;
    const [start, image] = [await imageOf(-1), await last.image];
    const added = Array.from({ length: layer + 1 }, (_, index) => adds(index));
    const isAsExpected = image.blobs.length === start.blobs.length + added.reduce((sum, count) => sum + count, 0);
    if (!isAsExpected || blobsOnTop(image.blobs, start.blobs) === undefined) return (await imageOf(layer - 1)).blobs;
    return image.blobs.slice(0, image.blobs.length - adds(layer));
  };

  return {
    pushed(layer, { digest }) {
      const image = once(images, layer, async () => ({ digest, blobs: await blobsOf(repository, digest, signal) }));
      image.catch(() => {});
      last = { layer, image };
    },
    prepare() {
      void imageOf(-1).catch(() => {});
    },
    publish: (layer) =>
      once(published, layer, async () => {
        const [parent, image] = [await parentOf(layer), await imageOf(layer)];
        const added = blobsOnTop(image.blobs, parent);
        if (added === undefined) throw notOnTop();
        if (last !== undefined && blobsOnTop((await last.image).blobs, image.blobs) === undefined) throw notOnTop();
        signal.throwIfAborted();
        await record(layer, { digest: image.digest, bytes: added.reduce((sum, { size }) => sum + size, 0) });
      }),
  };
}

interface LayerImage {
  readonly digest: string;
  readonly blobs: readonly Descriptor[];
}

/** The value that is there or under way; one that failed is made again. */
function once<T>(known: Map<number, Promise<T>>, key: number, make: () => Promise<T>): Promise<T> {
  const existing = known.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}

async function blobsOf(repository: Repository, digest: string, signal: AbortSignal): Promise<readonly Descriptor[]> {
  try {
    const { content } = await repository.manifest(digest, { signal });
    if (isIndex(content)) throw new TypeError(`${digest} is a list of images`);
    return content.layers;
  } catch (error) {
    throw parentError(error, signal);
  }
}

/** What it means that an image that layers are made on could not be read. */
export function parentError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || !isRegistryError(error)) return error;
  if (error.code === "NOT_FOUND") {
    const message = `An image that layers are made on is not in the registry any more: ${error.message}. Build again: it is had anew.`;
    return new LaminaError({ code: "PARENT_MISSING", message }, { cause: error });
  }
  const message = `An image cannot be read from the registry: ${error.message}`;
  return new LaminaError({ code: "REGISTRY_UNAVAILABLE", message }, { cause: error });
}

/** The blobs that an image has on top of its parent's; undefined when it does not begin with them. */
function blobsOnTop(blobs: readonly Descriptor[], parent: readonly Descriptor[]): readonly Descriptor[] | undefined {
  const begins = parent.every(({ digest }, index) => blobs[index]?.digest === digest);
  return begins ? blobs.slice(parent.length) : undefined;
}

function notOnTop(): LaminaError {
  const message =
    "BuildKit lost a layer from its cache and made it anew while it was being published. Build again; give BuildKit more disk if it happens often.";
  return new LaminaError({ code: "BUILD_FAILED", message });
}
