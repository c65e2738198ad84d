/** The queue of a function version as NATS has it. */
import { catalogue } from "@lamina/api";
import { connectNats } from "@lamina/service";
import { jetstreamManager } from "@nats-io/jetstream";
import type { TestPlace } from "./platform.ts";

export async function queueOf({ config }: Pick<TestPlace, "config">, functionId: string) {
  const connection = await connectNats({ ...config.nats, name: "test" });
  const manager = await jetstreamManager(connection);
  const { calls } = catalogue(config.namespace);
  return {
    /** The ids of messages. */
    async messages(): Promise<string[]> {
      const { state } = await manager.streams.info(calls.stream, { subjects_filter: calls.filter(functionId) });
      return Object.keys(state.subjects ?? {}).map((subject) => subject.slice(subject.lastIndexOf(".") + 1));
    },
    /** Takes all messages away, or one. */
    empty: (message?: string) =>
      manager.streams.purge(calls.stream, {
        filter: message === undefined ? calls.filter(functionId) : calls.subject(functionId, message),
      }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

export type Queue = Awaited<ReturnType<typeof queueOf>>;
