/**
 * The line between a runner and the control plane: a WebSocket, over which calls that somebody waits for go to containers that are there,
 * past the queue. A runner opens it with the token of a worker.
 *
 * A message of a function's queue is the right to have one call of it go on (see the consumers of the catalogue: no more are delivered than may go
 * on at once). A runner that is done with one and finds nothing behind it may keep it instead of acknowledging it: that is a permit. While it is
 * offered, the control plane may give it calls, which go on one after the other, until the runner takes it back, since others wait in the queue.
 */
import { z } from "zod";
import { CallMessage, FinishCallsInput } from "./calls.ts";

/** Where the control plane takes the WebSocket. Messages are JSON. */
export const LINE_PATH = "/v1/line";

/** `permit` is the id of the message that is kept. */
export const RunnerFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("offer"), permit: z.string(), function: z.string() }),
  z.object({ type: z.literal("withdraw"), permit: z.string() }),
  /** How calls ended that were not kept. With the last of those that it was given the permit is free again, unless it was withdrawn. */
  z.object({ type: z.literal("ended"), permit: z.string(), calls: FinishCallsInput.shape.calls }),
  /** Calls that are not with the runner any more: unless their ends are recorded, another is to have them. The permit is withdrawn. */
  z.object({ type: z.literal("back"), permit: z.string(), calls: z.array(z.string()).min(1) }),
]);
export type RunnerFrame = z.infer<typeof RunnerFrame>;

export const PlatformFrame = z.discriminatedUnion("type", [
  /** A call, or several that are done in turn. */
  z.object({ type: z.literal("calls"), permit: z.string(), ...CallMessage.shape }),
  /** Calls that go on for a while are recorded now: their ends are told to `calls.finish`, and the permit is offered anew after that. */
  z.object({ type: z.literal("kept"), permit: z.string() }),
]);
export type PlatformFrame = z.infer<typeof PlatformFrame>;
