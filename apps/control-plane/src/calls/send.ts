/** Putting calls on the queues of their functions. */
import { CallMessage, type CallsQueued } from "@lamina/api";
import { JetStreamApiError } from "@nats-io/jetstream";
import type { Context } from "../context.ts";
import { overOutages } from "../database/database.ts";
import type { Prisma } from "../generated/client.ts";
import type { Nats } from "../events/nats.ts";

export interface SentCalls {
  /** The function version. */
  readonly function: string;
  /** Of the message; that of the call, where it has one only. */
  readonly id: string;
  readonly message: CallMessage;
  /** Another one each time that it is sent again. */
  readonly sendId: string;
}

const WRONG_LAST_SEQUENCE = [10_071, 10_164];

/** Puts a message on its queue unless it is there: no call ever has two, whoever sends it how often. */
export async function sendCalls(
  { client, connection, catalogue }: Nats,
  { function: functionId, id, message, sendId }: SentCalls,
): Promise<void> {
  try {
    const sent = client.publish(catalogue.calls.subject(functionId, id), JSON.stringify(message), {
      msgID: sendId,
      expect: { lastSubjectSequence: 0 },
    });
    // Behind it on the same connection: who keeps places of the function free for direct calls gives one up.
    connection.publish(catalogue.callsQueued, JSON.stringify({ function: functionId, message: id } satisfies CallsQueued));
    await sent;
  } catch (error) {
    if (!(error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code))) throw error;
  }
}

/** Gives calls that have not ended a message of their own each. */
export async function sendEachApart({ database, nats }: Pick<Context, "database" | "nats">, where: Prisma.CallWhereInput): Promise<void> {
  const open = await overOutages(() =>
    database.call.updateManyAndReturn({
      where: { ...where, endedAt: null },
      data: { message: null },
      select: { id: true, functionId: true, method: true, input: true, looks: true },
    }),
  );
  await Promise.all(
    open.map(async ({ id, functionId, method, input, looks }) => {
      const message = CallMessage.parse({ method: method ?? undefined, calls: [{ id, input }] });
      await sendCalls(nats, { function: functionId, id, message, sendId: `${id} ${looks}` });
    }),
  );
}
