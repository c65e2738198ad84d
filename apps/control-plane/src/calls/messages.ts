/** Which calls that are started at once go to their queue in one message. */
import type { StartCallsInput } from "@lamina/api";
import { v7 as newId } from "uuid";
import type { z } from "zod";

type StartedCall = z.output<typeof StartCallsInput>["calls"][number];

/** What goes to the queue as one; a call by itself goes under its own id. */
export interface QueueMessage {
  readonly id: string;
  readonly calls: readonly StartedCall[];
}

/** NATS takes a megabyte. */
const MESSAGE_CHARACTERS = 256 * 1024;

/** Puts neighbours together, so many at most. */
export function messagesFor(calls: readonly StartedCall[], together: number): QueueMessage[] {
  const groups: StartedCall[][] = [];
  let room = 0;
  for (const call of calls) {
    const size = "data" in call.input ? call.input.data.length : 0;
    const group = groups.at(-1);
    if (group !== undefined && group.length < together && size <= room) group.push(call);
    else {
      groups.push([call]);
      room = MESSAGE_CHARACTERS;
    }
    room -= size;
  }
  return groups.map((group) => ({ id: group.length === 1 && group[0] !== undefined ? group[0].id : newId(), calls: group }));
}

/** Without the calls that were there before. */
export function newOf(messages: readonly QueueMessage[], inserted: ReadonlySet<string>): QueueMessage[] {
  return messages
    .map(({ id, calls }) => ({ id, calls: calls.filter((call) => inserted.has(call.id)) }))
    .filter(({ calls }) => calls.length > 0);
}
