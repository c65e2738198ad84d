/** Layer ids: what names a layer, and so what a cache hit means. */
import { canonicalDigest } from "./canonical.ts";
import type { ResolvedDefinition, ResolvedOperation } from "./operation.ts";

/** 64 hexadecimal digits. */
export type LayerId = string;

export interface Layer {
  readonly id: LayerId;
  readonly parent: LayerId | null;
  readonly operation: ResolvedOperation;
}

/**
 * The layers of a definition, the base first. A layer's id is SHA-256 over the canonical JSON of
 * {builderVersion, platform, parent, operation}; the id of the last one is the id of the image.
 */
export function layersOf(definition: ResolvedDefinition): [Layer, ...Layer[]] {
  const { builderVersion, platform } = definition;
  const layer = (parent: LayerId | null, operation: ResolvedOperation): Layer => ({
    id: canonicalDigest({ builderVersion, platform, parent, operation }).slice("sha256:".length),
    parent,
    operation,
  });
  const layers: [Layer, ...Layer[]] = [layer(null, definition.base)];
  let last = layers[0];
  for (const step of definition.steps) {
    last = layer(last.id, step);
    layers.push(last);
  }
  return layers;
}

/** The id of the image that a definition makes: that of its last layer. */
export function imageIdOf(definition: ResolvedDefinition): LayerId {
  const layers = layersOf(definition);
  return (layers.at(-1) ?? layers[0]).id;
}
