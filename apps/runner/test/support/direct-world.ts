/** A runner's world with a line, over which a test gives calls to permits. */
import { randomUUID } from "node:crypto";
import { type CallEnd, JSON_VALUE, type RunnerFrame, type ServedFunction } from "@lamina/api";
import { type FunctionWorld, functionWorld } from "./function-world.ts";
import { type TestLine, testLine } from "./line.ts";

export interface DirectWorld extends FunctionWorld {
  readonly line: TestLine;
  /** Has a call of a function done from the queue. @returns the permit that is offered then */
  permit(served: ServedFunction, ...args: readonly unknown[]): Promise<string>;
  /** Gives calls to a permit, each with its arguments. @returns their ids */
  give(permit: string, calls: readonly (readonly unknown[])[], ids?: readonly string[]): string[];
  /** The ends of calls that are told over the line. */
  told(ids: readonly string[]): Promise<CallEnd[]>;
  /** Resolves when calls have come back. */
  back(ids: readonly string[]): Promise<void>;
  /** How often a permit was offered. */
  offers(permit: string): number;
  /** Resolves when it was offered so often. */
  offered(permit: string, times: number): Promise<void>;
  /** Says that a call was put on the queue. */
  note(served: ServedFunction, call: { readonly id: string }): Promise<void>;
}

export async function directWorld(files: Readonly<Record<string, string>>): Promise<DirectWorld> {
  const line = testLine();
  const here = await functionWorld(files, { line });
  const offers = (permit: string) => line.frames.filter((frame) => frame.type === "offer" && frame.permit === permit).length;
  const offered = async (permit: string, times: number) => void (await line.find(() => offers(permit) >= times || undefined));
  return Object.assign(here, {
    line,
    async permit(served: ServedFunction, ...args: readonly unknown[]) {
      const { id, end } = await here.call(served, args);
      await end;
      await offered(id, 1);
      return id;
    },
    give(permit: string, calls: readonly (readonly unknown[])[], ids: readonly string[] = calls.map(() => randomUUID())) {
      line.send({
        type: "calls",
        permit,
        calls: calls.map((args, index) => ({
          id: ids[index] ?? "",
          input: { type: JSON_VALUE, data: JSON.stringify({ args, kwargs: {} }) },
        })),
      });
      return [...ids];
    },
    told: (ids: readonly string[]) =>
      line.find((frames) => {
        const ends = new Map(outcomesIn(frames).map(({ id, end }) => [id, end]));
        const found = ids.flatMap((id) => ends.get(id) ?? []);
        return found.length === ids.length ? found : undefined;
      }),
    async back(ids: readonly string[]) {
      await line.find(
        (frames) => ids.every((id) => frames.some((frame) => frame.type === "back" && frame.calls.includes(id))) || undefined,
      );
    },
    offers,
    offered,
    async note({ id: functionId }: ServedFunction, { id }: { readonly id: string }) {
      here.connection.publish(here.names.callsQueued, JSON.stringify({ function: functionId, message: id }));
      await here.connection.flush();
    },
  });
}

export function outcomesIn(frames: readonly RunnerFrame[]) {
  return frames.flatMap((frame) => (frame.type === "ended" ? frame.calls : []));
}
