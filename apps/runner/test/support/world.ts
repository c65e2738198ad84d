/** A runner with everything around it: the servers of the test run, a control plane, a namespace of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type CallMessage,
  type Catalogue,
  catalogue,
  JSON_VALUE,
  LogBatch,
  RunEventBatch,
  type RunEvent,
  type ServedFunction,
  type Value,
} from "@lamina/api";
import { parseReference } from "@lamina/registry";
import { connectNats, ensureStreams } from "@lamina/service";
import { freshNamespace, servers } from "@lamina/testkit";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { readRunnerConfig, runRunner } from "../../src/index.ts";
import { testControlPlane, type TestRun } from "./control-plane.ts";
import type { TestLine } from "./line.ts";
import type { RecordedEnd, TestFunctions } from "./test-functions.ts";

export interface TestCall {
  readonly id: string;
  readonly end: Promise<RecordedEnd>;
}

export interface World extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  /** The mark of the runner's containers. */
  readonly owner: string;
  readonly workers: ReadonlySet<string>;
  /** Queues a run of a command in an image, by its reference with a digest. */
  run(image: string, command: readonly string[]): Promise<TestRun & { readonly id: string }>;
  readonly functions: TestFunctions;
  /** Deploys a function, and says so. */
  serve(served: Partial<ServedFunction> & Pick<ServedFunction, "image" | "code" | "codeLocation" | "entry">): ServedFunction;
  /** Takes a function away, or changes it, and says so. */
  change(id: string, served: ServedFunction | undefined): void;
  /** Queues a call; its input is arguments in JSON. */
  call(served: ServedFunction, args?: readonly unknown[], more?: { method?: string; input?: Value }): Promise<TestCall>;
  /** Queues calls that one message brings, each with its arguments. */
  callTogether(served: ServedFunction, calls: readonly (readonly unknown[])[], ids?: readonly string[]): Promise<TestCall[]>;
  /** Takes calls off their queue and says so, as the control plane does. */
  cancelCalls(...ids: readonly string[]): Promise<void>;
  /** The lines that are in the stream for a call, or for none. */
  lines(served: ServedFunction, call: string | undefined): Promise<LogBatch[]>;
  /** The messages of the queues of calls, or of a function's. */
  queuedCalls(served?: ServedFunction): Promise<number>;
  readonly connection: NatsConnection;
  readonly names: Catalogue;
  /** The messages of the work queue. */
  queued(): Promise<number>;
  /** Says that the run was cancelled, as the control plane does. */
  sendCancel(id: string): void;
  /** The events of a run as they come; they have no end of their own. */
  events(id: string): AsyncGenerator<RunEvent>;
}

export interface WorldOptions {
  /** More variables for the runner. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where runners have one, done messages stay on their queues as permits. */
  readonly line?: TestLine;
}

export async function world(options: WorldOptions = {}): Promise<World> {
  const { nats, registry, containerd } = await servers();
  await using cleanUp = new AsyncDisposableStack();
  const state = await mkdtemp(path.join(tmpdir(), "lamina-runner-test-"));
  cleanUp.defer(() => rm(state, { recursive: true, force: true }));
  const namespace = freshNamespace();
  const names = catalogue(namespace);
  const connection = await connectNats({ ...nats, name: "test" });
  cleanUp.defer(() => connection.close());
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager, names);
  cleanUp.defer(
    async () =>
      void (await Promise.all(
        [names.jobs.stream, names.events.stream, names.calls.stream, names.logs.stream].map((stream) => manager.streams.delete(stream)),
      )),
  );
  const controlPlane = cleanUp.use(await testControlPlane(options.line));
  const client = jetstream(connection);
  let runs = 0;
  let functions = 0;
  const say = () => connection.publish(names.functionsChanged);

  const owned = cleanUp.move();
  return {
    owner: `${namespace}/one`,
    workers: controlPlane.workers,
    environment: {
      PATH: process.env["PATH"] ?? "",
      LAMINA_CA_BUNDLE: process.env["SSL_CERT_FILE"] ?? "",
      LAMINA_URL: controlPlane.url,
      LAMINA_TOKEN: controlPlane.token,
      LAMINA_NATS_URL: nats.url,
      LAMINA_NATS_USER: nats.user,
      LAMINA_NATS_PASSWORD: nats.password,
      LAMINA_NAMESPACE: namespace,
      LAMINA_REGISTRY: registry.host,
      LAMINA_REGISTRY_USERNAME: registry.user,
      LAMINA_REGISTRY_PASSWORD: registry.password,
      LAMINA_CONTAINERD: containerd.address,
      LAMINA_TOOLS: containerd.tools,
      LAMINA_STATE: state,
      LAMINA_WORKER_NAME: "one",
      LAMINA_LOG_LEVEL: process.env["LAMINA_LOG_LEVEL"] ?? "silent",
      ...options.environment,
    },
    async run(image, command) {
      const id = `run-${++runs}`;
      const { repository, digest = "" } = parseReference(image);
      const run = controlPlane.add(id, { image: { repository, digest }, command: [...command] });
      await client.publish(names.jobs.subject("run", "cpu"), JSON.stringify({ kind: "run", run: id }));
      return Object.assign(run, { id });
    },
    functions: controlPlane.functions,
    connection,
    names,
    serve(given) {
      const served: ServedFunction = {
        id: `fn-${++functions}`,
        workspace: "default",
        app: "app-1",
        appName: "test",
        name: "f",
        gpu: [],
        gpus: 0,
        cpu: 2,
        memoryMib: 256,
        timeoutSeconds: 60,
        minContainers: 0,
        maxContainers: 4,
        concurrency: 1,
        idleSeconds: 60,
        state: "active",
        ...given,
      };
      controlPlane.functions.served.set(served.id, served);
      say();
      return served;
    },
    change(id, served) {
      if (served === undefined) controlPlane.functions.served.delete(id);
      else controlPlane.functions.served.set(id, served);
      say();
    },
    async call({ id: functionId }, args = [], { method, input } = {}) {
      const id = randomUUID();
      const called = input ?? { type: JSON_VALUE, data: JSON.stringify({ args, kwargs: {} }) };
      const message: CallMessage = { method, calls: [{ id, input: called }] };
      await client.publish(names.calls.subject(functionId, id), JSON.stringify(message));
      return { id, end: controlPlane.functions.end(id) };
    },
    async callTogether({ id: functionId }, all, ids = all.map(() => randomUUID())) {
      const message: CallMessage = {
        calls: all.map((args, index) => ({
          id: ids[index] ?? "",
          input: { type: JSON_VALUE, data: JSON.stringify({ args, kwargs: {} }) },
        })),
      };
      await client.publish(names.calls.subject(functionId, randomUUID()), JSON.stringify(message));
      return message.calls.map(({ id }) => ({ id, end: controlPlane.functions.end(id) }));
    },
    async cancelCalls(...calls) {
      for (const id of calls) await manager.streams.purge(names.calls.stream, { filter: names.calls.subject("*", id) });
      connection.publish(names.callsCancelled, JSON.stringify({ calls }));
    },
    async lines({ app }, call) {
      const consumer = await client.consumers.get(names.logs.stream, { filter_subjects: names.logs.subject(app, call) });
      const { num_pending: pending } = await consumer.info();
      const batches: LogBatch[] = [];
      if (pending === 0) return batches;
      for await (const message of await consumer.fetch({ max_messages: pending })) batches.push(LogBatch.parse(message.json()));
      return batches;
    },
    async queuedCalls(served) {
      const { state } = await manager.streams.info(names.calls.stream, {
        subjects_filter: served === undefined ? ">" : names.calls.filter(served.id),
      });
      return Object.values(state.subjects ?? {}).reduce((all, messages) => all + messages, 0);
    },
    queued: async () => (await manager.streams.info(names.jobs.stream)).state.messages,
    sendCancel: (id) => connection.publish(names.control(id), JSON.stringify({ type: "cancel" })),
    async *events(id) {
      const consumer = await client.consumers.get(names.events.stream, { filter_subjects: names.events.subject(id) });
      let next = 1;
      for await (const message of await consumer.consume()) {
        const { first, events } = RunEventBatch.parse(message.json());
        if (first !== next) throw new Error(`event ${first} came after event ${next - 1}`);
        next += events.length;
        yield* events;
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The runner inside the test's own process; disposing it is a graceful stop. */
export function startRunner({ environment }: World): AsyncDisposable {
  const stop = new AbortController();
  const ended = runRunner(readRunnerConfig(environment), stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error("the test is over"));
      await ended;
    },
  };
}

/** The runner as a process of its own. */
export function spawnRunner({ environment }: World): ChildProcess {
  const main = path.resolve(import.meta.dirname, "../../src/main.ts");
  return spawn(process.execPath, [main], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
}

export async function kill(runner: ChildProcess): Promise<void> {
  const exited = once(runner, "exit");
  runner.kill("SIGKILL");
  await exited;
}
