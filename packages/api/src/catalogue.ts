/**
 * Everything that goes over NATS: subjects, streams, and the schema of what is in them. A platform
 * has a namespace, so that several can share one NATS.
 *
 * Publishing events. A feed (an attempt or a run) has one subject. Its writer publishes each batch
 * with JetStream's expected last sequence for that subject: 0 for the first, then the stream
 * sequence of its own last batch. Who lost the lease can therefore never write after the control
 * plane has written the end.
 */
import { z } from "zod";

/** A job names what to claim; its holder fetches the rest over tRPC. */
export const Job = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("build"), attempt: z.string() }),
  z.object({ kind: z.literal("run"), run: z.string() }),
]);
export type Job = z.infer<typeof Job>;
export type JobKind = Job["kind"];

/** Sent to the holder of a lease; that it arrives is a matter of speed, since renewing the lease tells the same. */
export const ControlMessage = z.object({ type: z.literal("cancel") });
export type ControlMessage = z.infer<typeof ControlMessage>;

/** The pool of workers without GPUs; every other is named as the class of its GPUs. */
export const CPU_POOL = "cpu";

/** The subjects and streams of one platform. A pool's name is lower-case letters, digits and dashes in subjects. */
export function catalogue(namespace: string) {
  return {
    jobs: {
      /** Work queue: a message stays until its consumer acknowledges it. */
      stream: `${namespace}-jobs`,
      subjects: [`${namespace}.jobs.>`],
      subject: (kind: JobKind, pool: string) => `${namespace}.jobs.${kind}.${subjectToken(pool)}`,
      /** The durable consumer that all workers of a pool share. */
      consumer: (kind: JobKind, pool: string) => `${kind}-${subjectToken(pool)}`,
      /** Seconds after which a job that nobody says to be working on is delivered again. */
      ackWaitSeconds: 10,
    },
    events: {
      stream: `${namespace}-events`,
      subjects: [`${namespace}.events.>`],
      /** `id`: of an attempt or a run. */
      subject: (id: string) => `${namespace}.events.${id}`,
      /** Seconds that the last event of a feed stays in the stream after its end, to fence whoever wrote to it. Postgres keeps all of what has ended. */
      endSeconds: 24 * 60 * 60,
    },
    calls: {
      /** Work queue: a message stays until the ends of its calls are recorded. */
      stream: `${namespace}-calls`,
      subjects: [`${namespace}.calls.>`],
      /** Each message has a subject of its own, by which it can be taken off its queue: that of the call, where it has one only. */
      subject: (functionId: string, message: string) => `${namespace}.calls.${functionId}.${message}`,
      filter: (functionId: string) => `${namespace}.calls.${functionId}.*`,
      /** The durable consumer that all runners share which serve a function. */
      consumer: (functionId: string) => `call-${functionId}`,
      ackWaitSeconds: 10,
    },
    logs: {
      stream: `${namespace}-logs`,
      subjects: [`${namespace}.logs.>`],
      /** `app`: its id; lines of no call stand under `-`. */
      subject: (app: string, call: string | undefined) => `${namespace}.logs.${app}.${call ?? "-"}`,
      filterOfApp: (app: string) => `${namespace}.logs.${app}.*`,
      keptSeconds: 7 * 24 * 60 * 60,
      /** Counted, not in bytes: those NATS sets aside when the stream is made, for each platform anew. */
      keptBatches: 1_000_000,
    },
    /** Past JetStream: what is typed and shown is kept by nobody. Subjects name the workspace, so that no other one's clients get to them. */
    shells: {
      /** Requests, each for one of the runners of a pool. */
      requests: (pool: string) => `${namespace}.shells.${subjectToken(pool)}`,
      queue: "shells",
      /** Messages to the runner that has it, each with an answer. */
      messages: (workspace: string, shell: string) => `${namespace}.shell.${workspace}.${shell}.messages`,
      /** Its events. */
      events: (workspace: string, shell: string) => `${namespace}.shell.${workspace}.${shell}.events`,
    },
    /** The bucket of the object store for values of calls. */
    values: `${namespace}-values`,
    /** Says that what there is to serve has changed; no payload. */
    functionsChanged: `${namespace}.functions`,
    /** Says that a message was put on the queue of a function version; that it arrives is a matter of speed. */
    callsQueued: `${namespace}.calls-queued`,
    /** Tells runners which calls are not wanted any more. */
    callsCancelled: `${namespace}.calls-cancelled`,
    /** Tells replicas of the control plane which calls have ended; JSON: an array of ids. */
    callsEnded: `${namespace}.calls-ended`,
    /** `id`: of an attempt or a run. */
    control: (id: string) => `${namespace}.control.${id}`,
    /** Says that a build has new events of its own; no payload. */
    buildChanged: (build: string) => `${namespace}.builds.${build}`,
  };
}
export type Catalogue = ReturnType<typeof catalogue>;

function subjectToken(pool: string): string {
  return pool.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-");
}
