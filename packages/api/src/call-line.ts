/**
 * The line between a client and the control plane: a WebSocket, over which calls are started, for clients that start many. What
 * comes of it is the same as with the router's `calls.start`; a request over HTTP costs both ends about twice as much as a message.
 * A client opens it with its token.
 */
import { z } from "zod";
import { EndedCall } from "./calls.ts";
import { ErrorInfo } from "./errors.ts";

/** Where the control plane takes the WebSocket. Messages are JSON. */
export const CALL_LINE_PATH = "/v1/calls";

/** `number` is the client's, and comes back with the answer; `start` is the input of `calls.start`. */
export const StartOverLine = z.object({ number: z.int(), start: z.unknown() });
export type StartOverLine = z.infer<typeof StartOverLine>;

export const StartedOverLine = z.union([
  z.object({ number: z.int(), ended: z.array(EndedCall) }),
  z.object({ number: z.int(), error: ErrorInfo }),
]);
export type StartedOverLine = z.infer<typeof StartedOverLine>;
