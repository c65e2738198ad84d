/** One container of a function: from its start, over calls, to its end. */
import { setTimeout as delay } from "node:timers/promises";
import { type LogBatch, type RemoteException, type ServedFunction, type ValueType } from "@lamina/api";
import type { ContainerExit, ContainerPlace, FunctionContainers } from "../engine/function-containers.ts";
import type { ExecutableImage } from "../engine/executable-image.ts";
import type { HarnessFrame } from "./frames.ts";
import { type HarnessLink, listenForHarness } from "./harness-link.ts";
import type { LogWriter } from "./logs.ts";
import { readOutput } from "./output.ts";

export interface HarnessCall {
  readonly call: string;
  readonly method: string | undefined;
  readonly type: ValueType;
  readonly body: Buffer;
  /** Whether no other call is sent to the container before this one has ended. */
  readonly alone: boolean;
}

export type HarnessOutcome =
  | { readonly kind: "result"; readonly type: ValueType; readonly body: Buffer }
  | {
      readonly kind: "error";
      readonly exception: Omit<RemoteException, "pickled">;
      readonly pickled: { type: ValueType; body: Buffer } | undefined;
    }
  | { readonly kind: "unreadable"; readonly message: string };

/** The code, or its set-up, threw. */
export class BrokenError extends Error {
  override readonly name = "BrokenError";
  readonly exception: Omit<RemoteException, "pickled">;
  constructor(exception: Omit<RemoteException, "pickled">) {
    super(`${exception.type}: ${exception.message}`);
    this.exception = exception;
  }
}

/** The container ended. */
export class ContainerGone extends Error {
  override readonly name = "ContainerGone";
  readonly exit: ContainerExit;
  constructor(exit: ContainerExit) {
    super(`the container ended with ${exit.exitCode}`);
    this.exit = exit;
  }
}

export interface Container {
  readonly id: string;
  /** Resolves when it can be called. Rejects with {@link BrokenError} or {@link ContainerGone}. */
  readonly ready: Promise<void>;
  readonly exited: Promise<ContainerExit>;
  /** @throws {ContainerGone} */
  call(call: HarnessCall): Promise<HarnessOutcome>;
  /** Asks for a call's end. */
  cancel(call: string): void;
  /** Lets it clean up, and ends it when that takes too long. */
  stop(): Promise<void>;
  kill(): void;
}

export interface ContainerOptions {
  readonly containers: FunctionContainers;
  readonly place: ContainerPlace;
  readonly image: ExecutableImage;
  readonly command: readonly string[];
  readonly served: ServedFunction;
  readonly readOnly: readonly { readonly source: string; readonly target: string }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly devices: readonly string[];
  readonly logs: LogWriter;
}

/** How long the clean-up of a container may take. */
const CLEAN_UP_MS = 10_000;
/** How long its last output and results may take to come once it has ended. */
const LAST_OUTPUT_MS = 1_000;

export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { containers, place, served, logs } = options;
  const { promise: ready, resolve: becomeReady, reject: neverReady } = Promise.withResolvers<void>();
  ready.catch(() => undefined);
  const running = new Map<string, { resolve: (outcome: HarnessOutcome) => void; reject: (reason: ContainerGone) => void }>();
  const write = (call: string | undefined, stream: LogBatch["stream"], lines: readonly string[]) =>
    logs.write({
      at: Date.now(),
      function: served.name,
      ...(call !== undefined && { call }),
      container: place.id,
      stream,
      lines: [...lines],
    });
  const isMarked = served.concurrency === 1;
  const output = readOutput({ directory: place.run, onLines: write });

  /** Calls whose ends have come, and whose output has not yet. */
  const settling = new Set<Promise<void>>();
  const settle = ({ call, marked: hasMarker }: { readonly call: string; readonly marked: boolean }, outcome: HarnessOutcome): void => {
    const marked = isMarked ? (hasMarker ? output.ended(call) : output.endedWithoutMarker(call)) : undefined;
    const end = (): void => {
      running.get(call)?.resolve(outcome);
      running.delete(call);
    };
    if (marked === undefined) return end();
    const settled = marked.then(end).finally(() => settling.delete(settled));
    settling.add(settled);
  };
  const onFrame = (frame: HarnessFrame, body: Buffer): void => {
    switch (frame.type) {
      case "ready":
        return void (isMarked ? output.setUp.then(becomeReady) : becomeReady());
      case "broken":
        return neverReady(new BrokenError(frame.exception));
      case "result":
        return settle(frame, { kind: "result", type: frame.valueType, body });
      case "error": {
        const pickled = frame.valueType === undefined ? undefined : { type: frame.valueType, body };
        return settle(frame, { kind: "error", exception: frame.exception, pickled });
      }
      case "unreadable":
        return settle(frame, { kind: "unreadable", message: frame.message });
      case "log": {
        const pending = write(frame.call, frame.stream, frame.lines);
        if (pending !== undefined) link.hold(pending);
        return;
      }
    }
  };
  let kill = (): void => undefined;
  const link: HarnessLink = await listenForHarness({ directory: place.run, onFrame, onFault: () => kill() });
  const { entry, methods, concurrency } = served;
  link.send({ type: "hello", entry, methods, concurrency });
  const started = await containers.start(place, { ...options, limits: served });
  kill = () => started.kill();

  const exited = started.exited.then(async (exit) => {
    await Promise.race([Promise.all([output.closed, link.drained()]), delay(LAST_OUTPUT_MS)]);
    output.close();
    link.close();
    await Promise.all(settling);
    const gone = new ContainerGone(exit);
    neverReady(gone);
    for (const { reject } of running.values()) reject(gone);
    running.clear();
    return exit;
  });
  let hasExited = false;
  void exited.then(() => (hasExited = true));

  return {
    id: place.id,
    ready,
    exited,
    call: ({ call, method, type, body, alone }) =>
      new Promise((resolve, reject) => {
        running.set(call, { resolve, reject });
        if (isMarked) output.begin(call);
        link.send({ type: "call", call, method, valueType: type, alone: alone || undefined }, body);
        if (hasExited) void exited.then((exit) => reject(new ContainerGone(exit)));
      }),
    cancel: (call) => link.send({ type: "cancel", call }),
    async stop() {
      link.send({ type: "stop" });
      const isGone = await Promise.race([exited.then(() => true), delay(CLEAN_UP_MS, false, { ref: false })]);
      if (!isGone) started.kill();
      await exited;
    },
    kill: () => started.kill(),
  };
}
