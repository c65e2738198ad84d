/** What is known of a build while it is followed, as a value that each event turns into the next one. */
import type { BuildEvent, BuildOwnEvent, ErrorInfo } from "lamina";

/** Lines of output that are kept for a layer, for the case that it fails. */
const KEPT_LINES = 20;
const CUT_OFF = {
  expired: "the builder was lost; another one goes on",
  released: "the builder was stopped; another one goes on",
  cancelled: "cancelled",
} as const;
const BUILT_AT_ONCE = { kind: "built", seconds: 0 } as const;

export type LayerState =
  | { readonly kind: "waiting" }
  | { readonly kind: "hit" }
  /** `since`: milliseconds by the local clock. */
  | { readonly kind: "building"; readonly since: number; readonly line?: string }
  | { readonly kind: "built"; readonly seconds: number }
  | { readonly kind: "failed"; readonly seconds: number };

export interface LayerView {
  readonly id: string;
  readonly operation: string;
  /** What its author asked for, in short. */
  readonly detail: string;
  readonly state: LayerState;
  readonly bytes?: number;
  readonly log: readonly string[];
}

export type Outcome =
  | { readonly kind: "done"; readonly image: string; readonly ref: string }
  | { readonly kind: "failed"; readonly error: ErrorInfo }
  | { readonly kind: "cancelled" };

export interface BuildView {
  readonly name: string;
  /** What is going on beside the layers. */
  readonly activity?: string | undefined;
  readonly layers: readonly LayerView[];
  readonly details: readonly string[];
  readonly since: number;
  readonly outcome?: Outcome;
}

/** A build of which nothing is known but its name and what its layers are to be, the base first. */
export function newBuildView(name: string, details: readonly string[], now: number): BuildView {
  return { name, layers: [], details, since: now };
}

/** The view after an event that arrived at `now`, in milliseconds by the local clock. */
export function afterEvent(view: BuildView, event: BuildEvent, now: number): BuildView {
  switch (event.type) {
    case "planned":
      return { ...view, layers: event.layers.map((planned, index) => plannedLayer(planned, view.details[index])) };
    case "attempt":
      return { ...view, activity: waitingFor(event) };
    case "attempt-started":
      return withoutActivity(view);
    case "preparing":
      return { ...view, activity: event.what };
    case "layer-started":
      return withLayer(withoutActivity(view), event.layer, () => ({ state: { kind: "building", since: now } }));
    case "log":
      return withLayer(view, event.layer, (layer) => ({
        state: withLine(layer.state, event.line),
        log: [...layer.log, event.line].slice(-KEPT_LINES),
      }));
    case "progress":
      return afterProgress(view, event);
    case "layer-built":
      return withLayer(view, event.layer, () => ({ state: { kind: "built", seconds: event.seconds } }));
    case "layer-published":
      // A layer that runs nothing, as of env, is only ever published.
      return withLayer(view, event.layer, ({ state }) => ({
        bytes: event.bytes,
        ...(state.kind === "waiting" && { state: BUILT_AT_ONCE }),
      }));
    case "attempt-done":
      return withoutActivity(view);
    case "attempt-failed":
      return withLayer(withoutActivity(view), event.error.layer, (layer) => ({
        state: { kind: "failed", seconds: secondsIn(layer.state, now) },
      }));
    case "attempt-cut-off":
      return { ...backToWaiting(view), activity: CUT_OFF[event.reason] };
    case "done":
    case "failed":
    case "cancelled":
      return ended(view, event, now);
  }
}

/** The view when nothing goes on beside the layers. */
export function withoutActivity(view: BuildView): BuildView {
  return { ...view, activity: undefined };
}

/** Milliseconds that the build has taken until `now`. */
export function elapsed(view: BuildView, now: number): number {
  return now - view.since;
}

/** Whether nothing had to be built. */
export function isAllHit({ layers }: BuildView): boolean {
  return layers.length > 0 && layers.every(({ state }) => state.kind === "hit");
}

/** How many layers were hits, and how many were built. */
export function countLayers(view: BuildView): { readonly hits: number; readonly built: number } {
  const count = (kind: LayerState["kind"]) => view.layers.filter(({ state }) => state.kind === kind).length;
  return { hits: count("hit"), built: count("built") };
}

function waitingFor({ joined, builders, pool }: Extract<BuildOwnEvent, { type: "attempt" }>): string {
  if (joined) return "waiting for layers that another build is making";
  return builders === 0 ? `waiting: no builder of pool ${pool} has been heard of` : `waiting for a builder (pool ${pool})`;
}

function plannedLayer(planned: Extract<BuildOwnEvent, { type: "planned" }>["layers"][number], detail: string | undefined): LayerView {
  return {
    id: planned.id,
    operation: planned.operation,
    detail: detail ?? "",
    state: { kind: planned.status === "hit" ? "hit" : "waiting" },
    ...(planned.bytes !== undefined && { bytes: planned.bytes }),
    log: [],
  };
}

function withLayer(view: BuildView, id: string | undefined, change: (layer: LayerView) => Partial<LayerView>): BuildView {
  return { ...view, layers: view.layers.map((layer) => (layer.id === id ? { ...layer, ...change(layer) } : layer)) };
}

/** Bytes that move for a layer that is built belong to the image as a whole: it is being pushed. */
function afterProgress(view: BuildView, event: Extract<BuildEvent, { type: "progress" }>): BuildView {
  const line = progressLine(event);
  const isBuilding = view.layers.some(({ id, state }) => id === event.layer && state.kind === "building");
  return isBuilding ? withLayer(view, event.layer, (layer) => ({ state: withLine(layer.state, line) })) : { ...view, activity: line };
}

function withLine(state: LayerState, line: string): LayerState {
  return state.kind === "building" ? { ...state, line } : state;
}

function progressLine({
  what,
  current,
  total,
}: {
  readonly what: string;
  readonly current: number;
  readonly total?: number | undefined;
}): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  if (total !== undefined) return `${what} ${megabytes(current)} of ${megabytes(total)} MB`;
  return current === 0 ? what : `${what} ${megabytes(current)} MB`;
}

function secondsIn(state: LayerState, now: number): number {
  return state.kind === "building" ? (now - state.since) / 1000 : 0;
}

function backToWaiting(view: BuildView): BuildView {
  return {
    ...view,
    layers: view.layers.map((layer) => (layer.state.kind === "building" ? { ...layer, state: { kind: "waiting" } } : layer)),
  };
}

/** An image that exists has all its layers, also those of which no event has come. */
function allMade(view: BuildView, now: number): BuildView {
  const made = ({ state }: LayerView): LayerState => {
    if (state.kind === "building") return { kind: "built", seconds: secondsIn(state, now) };
    return state.kind === "waiting" ? BUILT_AT_ONCE : state;
  };
  return { ...view, layers: view.layers.map((layer) => ({ ...layer, state: made(layer) })) };
}

function ended(view: BuildView, event: Extract<BuildOwnEvent, { type: "done" | "failed" | "cancelled" }>, now: number): BuildView {
  const last = withoutActivity(view);
  switch (event.type) {
    case "done":
      return { ...allMade(last, now), outcome: { kind: "done", image: event.image, ref: event.ref } };
    case "failed": {
      const failed = withLayer(last, event.error.layer, ({ state }) =>
        state.kind === "failed" ? {} : { state: { kind: "failed", seconds: secondsIn(state, now) } },
      );
      return { ...backToWaiting(failed), outcome: { kind: "failed", error: event.error } };
    }
    case "cancelled":
      return { ...backToWaiting(last), outcome: { kind: "cancelled" } };
  }
}
