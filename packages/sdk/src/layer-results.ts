/** What became of each layer of a build, as a value that each event turns into the next one. */
import type { BuildEvent } from "@lamina/api";

export interface LayerResult {
  readonly id: string;
  /** The name of the method that made the layer; of the base, of the one that began the image. */
  readonly operation: string;
  /** `missing` while it is being made, or was not reached. */
  readonly status: "hit" | "missing" | "built" | "failed";
  /** How long making it took; 0 for a hit. */
  readonly seconds: number;
  /** The compressed size of what it adds; 0 while that is not known: unless `sizes` is asked for, a layer may be published a moment after the build is done. */
  readonly bytes: number;
}

/** The layers after an event; the first that says anything is `planned`. */
export function layersAfter(layers: readonly LayerResult[], event: BuildEvent): readonly LayerResult[] {
  switch (event.type) {
    case "planned":
      return event.layers.map(({ id, operation, status, bytes = 0 }) => ({ id, operation, status, seconds: 0, bytes }));
    case "layer-built":
      return withLayer(layers, event.layer, { seconds: event.seconds });
    case "layer-published":
      return withLayer(layers, event.layer, { status: "built", bytes: event.bytes });
    case "attempt-failed":
    case "failed":
      return event.error.layer === undefined ? layers : withLayer(layers, event.error.layer, { status: "failed" });
    // What another build published while this one was planned is known only when it is done.
    case "done":
      return layers.map((layer) => (layer.status === "missing" ? { ...layer, status: "built" } : layer));
    default:
      return layers;
  }
}

function withLayer(layers: readonly LayerResult[], id: string, change: Partial<LayerResult>): readonly LayerResult[] {
  return layers.map((layer) => (layer.id === id ? { ...layer, ...change } : layer));
}
