/** Putting calls on the queues of their functions. */
import type { CallMessage } from "@lamina/api";
import { JetStreamApiError } from "@nats-io/jetstream";
import type { Nats } from "../events/nats.ts";

export interface SentCall {
  /** The function version. */
  readonly function: string;
  readonly message: CallMessage;
  /** Another one each time that it is sent again. */
  readonly sendId: string;
}

const WRONG_LAST_SEQUENCE = [10_071, 10_164];

/** Puts a call on its queue unless it is there: a call never has two messages, whoever sends it how often. */
export async function sendCall({ client, catalogue }: Nats, { function: functionId, message, sendId }: SentCall): Promise<void> {
  try {
    await client.publish(catalogue.calls.subject(functionId, message.call), JSON.stringify(message), {
      msgID: sendId,
      expect: { lastSubjectSequence: 0 },
    });
  } catch (error) {
    if (!(error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code))) throw error;
  }
}
