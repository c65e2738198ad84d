/**
 * From what BuildKit says to what happens to layers. The stages of a segment are a chain, one stage a
 * layer: when a step of a stage begins, every layer before it is built. A stage without a step of its
 * own (ENV) is built when a later one begins, or with the whole.
 */
import type { AttemptProgress } from "@lamina/api";
import type { SolveStatus, Vertex, VertexStatus } from "../buildkit/status.ts";
import { lineReader, type LineReader } from "./lines.ts";

export interface SegmentLayer {
  readonly id: string;
  /** Of its stage. */
  readonly target: string;
}

export interface LayerProgressOptions {
  /** In order. */
  readonly layers: readonly SegmentLayer[];
  readonly redact: (text: string) => string;
  readonly emit: (event: AttemptProgress) => Promise<void>;
}

export interface FailedStep {
  /** Its place in the segment. */
  readonly layer: number;
  /** Which of the steps of its stage, counted from 1, and how many there are. */
  readonly step: StageStep;
  /** As BuildKit says it. */
  readonly error: string;
}

export interface StageStep {
  readonly number: number;
  readonly total: number;
}

export interface LayerProgress {
  take(status: SolveStatus): Promise<void>;
  /** The whole segment is built. */
  finish(): Promise<void>;
  /** The step that failed, if one did. */
  readonly failed: FailedStep | undefined;
  /** How many layers are built: those before this place in the segment. */
  readonly built: number;
  /** The output of a layer so far, its last lines. */
  lastLines(layer: number): readonly string[];
  /** How long the steps of a layer took. */
  seconds(layer: number): number;
}

/** As many as an error shows and what the wrapper's last line may take. */
const KEPT_LINES = 200;
const PROGRESS_EVERY_MS = 250;

export function layerProgress({ layers, redact, emit }: LayerProgressOptions): LayerProgress {
  const last = layers.length - 1;
  const vertices = new Map<string, { layer: number; vertex: Vertex; reader: LineReader }>();
  const lines = layers.map((): string[] => []);
  const pulled = new Map<string, VertexStatus>();
  let pullToldAt = -Infinity;
  let isPushing = false;
  let current = -1;
  let built = 0;
  let failed: FailedStep | undefined;

  const layerId = (layer: number): string => layers[layer]?.id ?? "";
  const seconds = (layer: number): number => {
    const times = [...vertices.values()]
      .filter((known) => known.layer === layer && !isPull(known.vertex))
      .map(({ vertex }) => duration(vertex));
    return times.reduce((sum, time) => sum + time, 0);
  };
  /** Every layer before this one is built, and this one is begun. */
  const advance = async (layer: number): Promise<void> => {
    while (current < layer) {
      if (current >= built) await markBuilt(current);
      current += 1;
      await emit({ type: "layer-started", at: Date.now(), layer: layerId(current) });
    }
  };
  const markBuilt = async (layer: number): Promise<void> => {
    built = layer + 1;
    await emit({ type: "layer-built", at: Date.now(), layer: layerId(layer), seconds: seconds(layer) });
  };
  const write = async (layer: number, complete: readonly string[]): Promise<void> => {
    for (const line of complete) {
      lines[layer]?.push(line);
      await emit({ type: "log", at: Date.now(), layer: layerId(layer), line });
    }
    lines[layer]?.splice(0, Math.max(0, (lines[layer]?.length ?? 0) - KEPT_LINES));
  };
  const finish = async (): Promise<void> => {
    await advance(last);
    if (built <= last) await markBuilt(last);
  };
  const takeVertex = async (vertex: Vertex): Promise<void> => {
    if (vertex.name === EXPORT && vertex.started !== undefined) await finish();
    const layer = layerOf(vertex, layers);
    if (layer === undefined) return;
    const known = vertices.get(vertex.digest) ?? { layer, vertex, reader: lineReader(redact) };
    vertices.set(vertex.digest, { ...known, vertex });
    if (vertex.started !== undefined && !isFetch(vertex)) await advance(layer);
    if (vertex.completed !== undefined) await write(layer, known.reader.end());
    if (vertex.error !== undefined && !CANCELED.test(vertex.error)) failed = { layer, step: stepOf(vertex), error: vertex.error };
  };
  const takeStatus = async (status: VertexStatus): Promise<void> => {
    if (PUSH.test(status.id)) {
      if (!isPushing) await emit({ type: "progress", at: Date.now(), layer: layerId(last), what: "push", current: 0 });
      isPushing = true;
      return;
    }
    const layer = vertices.get(status.vertex)?.layer;
    if (layer === undefined || status.total === undefined) return;
    pulled.set(status.id, status);
    if (performance.now() - pullToldAt < PROGRESS_EVERY_MS && status.completed === undefined) return;
    pullToldAt = performance.now();
    await emit({ type: "progress", at: Date.now(), layer: layerId(layer), what: "pull", ...sumOf([...pulled.values()]) });
  };

  return {
    async take({ vertexes, statuses, logs }) {
      for (const vertex of vertexes) await takeVertex(vertex);
      for (const { vertex, data } of logs) {
        const known = vertices.get(vertex);
        if (known !== undefined) await write(known.layer, known.reader.take(data));
      }
      for (const status of statuses) await takeStatus(status);
    },
    finish,
    get failed() {
      return failed;
    },
    get built() {
      return built;
    },
    lastLines: (layer) => lines[layer] ?? [],
    seconds,
  };
}

/** `[stage 2/3] …`; a Dockerfile of one stage is not named: `[2/3] …`. */
const STEP = /^\[(?:(\S+) )? *(\d+)\/(\d+)\] /;
const PULL = /^\[(?:\S+ )? *\d+\/\d+\] FROM /;
const EXPORT = "exporting to image";
const PUSH = /^pushing /;
/** What BuildKit says of steps that it stopped because another had failed. */
const CANCELED = /context canceled/;

function layerOf({ name }: Vertex, layers: readonly SegmentLayer[]): number | undefined {
  const match = STEP.exec(name);
  if (match === null) return undefined;
  if (match[1] === undefined) return layers.length === 1 ? 0 : undefined;
  const layer = layers.findIndex(({ target }) => target === match[1]);
  return layer === -1 ? undefined : layer;
}

function stepOf({ name }: Vertex): StageStep {
  const [, , number, total] = STEP.exec(name) ?? [];
  return { number: Number(number), total: Number(total) };
}

/** What ADD fetches is named like the step that uses it, and is fetched at once, however many layers are before it. */
function isFetch(vertex: Vertex): boolean {
  return vertex.inputs.length === 0 && !isPull(vertex);
}

function isPull({ name }: Vertex): boolean {
  return PULL.test(name);
}

function duration({ started, completed, cached }: Vertex): number {
  if (started === undefined || completed === undefined || cached === true) return 0;
  return Math.max(0, Date.parse(completed) - Date.parse(started)) / 1000;
}

function sumOf(parts: readonly VertexStatus[]): { current: number; total: number } {
  const sum = (value: (part: VertexStatus) => number | undefined) => parts.reduce((total, part) => total + (value(part) ?? 0), 0);
  return { current: sum(({ current }) => current), total: sum(({ total }) => total) };
}
