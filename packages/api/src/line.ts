/**
 * The line between a runner and the control plane: a WebSocket, over which calls that somebody waits for go to containers that are there,
 * past the queue. A runner opens it with the token of a worker.
 *
 * A message of a function's queue is the right to have one call of it go on (see the consumers of the catalogue: no more are delivered than may go
 * on at once). A runner that is done with one and finds nothing behind it may keep it instead of acknowledging it: that is a permit. While it is
 * offered, the control plane may give it one call at a time, until the runner takes it back, since others wait in the queue.
 */
import { z } from "zod";
import { FinishCallsInput } from "./calls.ts";
import { Value } from "./values.ts";

/** Where the control plane takes the WebSocket. Messages are JSON. */
export const LINE_PATH = "/v1/line";

/** `permit` is the id of the message that is kept. */
export const RunnerFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("offer"), permit: z.string(), function: z.string() }),
  z.object({ type: z.literal("withdraw"), permit: z.string() }),
  /** How a call ended that was not kept. The permit stays offered, but for one that is `last`. */
  z.object({ type: z.literal("ended"), permit: z.string(), outcome: FinishCallsInput.shape.calls.element, last: z.boolean() }),
  /** A call that is not with the runner any more: unless its end is recorded, another is to have it. The permit is not offered any more. */
  z.object({ type: z.literal("back"), permit: z.string(), call: z.string() }),
]);
export type RunnerFrame = z.infer<typeof RunnerFrame>;

export const PlatformFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("call"), permit: z.string(), call: z.string(), method: z.string().optional(), input: Value }),
  /** The call goes on for a while, and is recorded now: its end is told to `calls.finish`, and its permit offered anew after that. */
  z.object({ type: z.literal("kept"), call: z.string() }),
]);
export type PlatformFrame = z.infer<typeof PlatformFrame>;
