/** What leaves the control plane because of a change of state. */
import { AttemptEnd, Job, RunEnd } from "@lamina/api";
import { Digest } from "@lamina/ir";
import { z } from "zod";
import type { Transaction } from "../database/database.ts";

/**
 * `function` is the version of the function on whose queue it is, left out where its message stays for others that it carries, or the whole
 * queue is taken away; `message` is that message where it is not the call's own.
 */
const CancelledCall = z.object({ id: z.string(), function: z.string().optional(), message: z.string().optional() });

export const OutboxMessage = z.discriminatedUnion("kind", [
  /** Puts a job into its pool's work queue. */
  z.object({ kind: z.literal("job"), pool: z.string(), job: Job }),
  /** Ends the feed of an attempt or run, and moves it to the archive. */
  z.object({ kind: z.literal("end"), feed: z.string(), event: z.union([AttemptEnd, RunEnd]) }),
  /** Names a manifest in the registry, which makes it a record there. */
  z.object({ kind: z.literal("tag"), repository: z.string(), digest: Digest, tag: z.string() }),
  /** Tells the holder of a lease that nobody wants its work any more. */
  z.object({ kind: z.literal("cancel"), id: z.string() }),
  /** Wakes those who follow a build. */
  z.object({ kind: z.literal("build-changed"), build: z.string() }),
  /** Lets runners look at what there is to serve. */
  z.object({ kind: z.literal("functions-changed") }),
  /** Takes away the queue of a function version that has no calls any more. */
  z.object({ kind: z.literal("function-stopped"), function: z.string() }),
  /** Takes calls off their queues, and tells runners that nobody wants them. */
  z.object({ kind: z.literal("calls-cancelled"), calls: z.array(CancelledCall).min(1) }),
]);
export type OutboxMessage = z.infer<typeof OutboxMessage>;
export type OutboxKind = OutboxMessage["kind"];

/** Writes messages in the transaction of the change that they tell of. */
export async function enqueue(transaction: Transaction, ...messages: readonly OutboxMessage[]): Promise<void> {
  await transaction.outboxMessage.createMany({ data: messages.map((message) => ({ kind: message.kind, payload: message })) });
}
