/**
 * Events. An attempt (or a run) has one writer at a time and numbers its events from 1 without
 * gaps; the last one is written by the control plane and ends the sequence. A build has events of
 * its own; its feed merges them with those of the attempts that it wants.
 */
import { Digest } from "@lamina/ir";
import { z } from "zod";
import { ErrorInfo } from "./errors.ts";

const layer = z.string();
/** Milliseconds since 1970 by the clock of whoever wrote the event. */
const at = z.number();

/** What a builder reports of an attempt. */
export const AttemptProgress = z.discriminatedUnion("type", [
  z.object({ type: z.literal("attempt-started"), at, builder: z.string() }),
  /** Work that is not yet a layer's, such as fetching contexts. */
  z.object({ type: z.literal("preparing"), at, what: z.string() }),
  z.object({ type: z.literal("layer-started"), at, layer }),
  /** One line of output, without its end. */
  z.object({ type: z.literal("log"), at, layer, line: z.string() }),
  /** Bytes moved for a layer, such as by a pull or a push. */
  z.object({ type: z.literal("progress"), at, layer, what: z.string(), current: z.number(), total: z.number().optional() }),
  z.object({ type: z.literal("layer-built"), at, layer, seconds: z.number() }),
  /** The layer's image is in the registry and its record is kept. */
  z.object({ type: z.literal("layer-published"), at, layer, digest: Digest, bytes: z.number() }),
]);
export type AttemptProgress = z.infer<typeof AttemptProgress>;

/** How an attempt ended; written by the control plane, once, in every case. */
export const AttemptEnd = z.discriminatedUnion("type", [
  z.object({ type: z.literal("attempt-done"), at }),
  z.object({ type: z.literal("attempt-failed"), at, error: ErrorInfo }),
  /** The attempt was cut off: its lease expired, its builder gave it back, or no build wanted it any more. */
  z.object({ type: z.literal("attempt-cut-off"), at, reason: z.enum(["expired", "released", "cancelled"]) }),
]);
export type AttemptEnd = z.infer<typeof AttemptEnd>;

/** What a runner reports of a run. */
export const RunProgress = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run-started"), at, runner: z.string() }),
  z.object({ type: z.literal("preparing"), at, what: z.string() }),
  /** Bytes of output, in base64. */
  z.object({ type: z.literal("output"), at, stream: z.enum(["stdout", "stderr"]), data: z.base64() }),
]);
export type RunProgress = z.infer<typeof RunProgress>;

export const RunEnd = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run-exited"), at, exitCode: z.int() }),
  z.object({ type: z.literal("run-failed"), at, error: ErrorInfo }),
]);
export type RunEnd = z.infer<typeof RunEnd>;

export const RunEvent = z.union([RunProgress, RunEnd]);
export type RunEvent = z.infer<typeof RunEvent>;

/** A layer as a plan shows it. */
export const PlannedLayer = z.object({
  id: layer,
  /** The kind of its operation, which is the name of the method that made it. */
  operation: z.string(),
  status: z.enum(["hit", "missing"]),
  /** The compressed size of what the layer adds, where there is a record of it. */
  bytes: z.number().optional(),
});
export type PlannedLayer = z.infer<typeof PlannedLayer>;

/** What the control plane says about a build itself. */
export const BuildOwnEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("planned"), at, image: z.string(), layers: z.array(PlannedLayer) }),
  /** The build now waits for this attempt; `joined` when another build had begun it. */
  z.object({
    type: z.literal("attempt"),
    at,
    attempt: z.string(),
    pool: z.string(),
    layers: z.array(layer),
    joined: z.boolean(),
    /** How many builders of the pool had been heard of lately when the attempt was asked for; not said of one that was joined. */
    builders: z.int().optional(),
  }),
  z.object({ type: z.literal("done"), at, image: z.string(), ref: z.string(), digest: Digest }),
  z.object({ type: z.literal("failed"), at, error: ErrorInfo }),
  z.object({ type: z.literal("cancelled"), at }),
]);
export type BuildOwnEvent = z.infer<typeof BuildOwnEvent>;

/** An event of a build's feed; those of attempts say which. */
export const BuildEvent = z.union([
  BuildOwnEvent,
  z.intersection(z.union([AttemptProgress, AttemptEnd]), z.object({ attempt: z.string() })),
]);
export type BuildEvent = z.infer<typeof BuildEvent>;

/** Several consecutive events in one message; `first` is the number of the first. */
function eventBatch<T extends z.ZodType>(event: T) {
  return z.object({ first: z.int().min(1), events: z.array(event).min(1) });
}
export const AttemptEventBatch = eventBatch(z.union([AttemptProgress, AttemptEnd]));
export type AttemptEventBatch = z.infer<typeof AttemptEventBatch>;
export const RunEventBatch = eventBatch(RunEvent);
export type RunEventBatch = z.infer<typeof RunEventBatch>;
