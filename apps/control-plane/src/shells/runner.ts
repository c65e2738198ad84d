/** How the runner that has a shell is asked: over core NATS, with an answer. Whatever is asked may come there twice. */
import { LaminaError, ShellAnswer, type ShellMessage, UNFOLLOWED_SECONDS } from "@lamina/api";
import { type NatsConnection, RequestError, TimeoutError } from "@nats-io/transport-node";
import { setTimeout as delay } from "node:timers/promises";

export interface ShellRunner {
  /** @throws {LaminaError} SHELL_LOST when nobody answers any more */
  ask(message: ShellMessage): Promise<ShellAnswer>;
  /** Whether there is one. */
  isThere(): Promise<boolean>;
}

const ANSWER_MS = 3_000;
const RETRY_MS = 250;
/** So long a runner may be away from a NATS that we are back at before it. */
const AWAY_MS = 5_000;

/** @param subject on which the runner takes messages of the shell */
export function shellRunner(connection: NatsConnection, subject: string): ShellRunner {
  return {
    async ask(message) {
      const payload = JSON.stringify(message);
      const begun = performance.now();
      for (;;) {
        const answer = await answerOf(connection, subject, payload);
        if (typeof answer !== "string") return answer;
        const patience = answer === "nobody" ? AWAY_MS : UNFOLLOWED_SECONDS * 1_000;
        if (performance.now() - begun > patience) throw lost(answer);
        await delay(RETRY_MS);
      }
    },
    async isThere() {
      const answer = await answerOf(connection, subject, JSON.stringify({ type: "follow", after: 0 } satisfies ShellMessage));
      return typeof answer !== "string";
    },
  };
}

/** Asks once: `nobody` listens there, or there was `no answer`. */
export async function answerOf(
  connection: NatsConnection,
  subject: string,
  payload: string,
): Promise<ShellAnswer | "nobody" | "no answer"> {
  try {
    const message = await connection.request(subject, payload, { timeout: ANSWER_MS });
    return ShellAnswer.parse(message.json());
  } catch (error) {
    if (error instanceof RequestError && error.isNoResponders()) return "nobody";
    if (error instanceof TimeoutError) return "no answer";
    throw error;
  }
}

function lost(answer: "nobody" | "no answer"): LaminaError {
  const reason = answer === "nobody" ? "its runner is gone" : "its runner does not answer";
  return new LaminaError({
    code: "SHELL_LOST",
    message: `The shell has ended, or is lost: ${reason}. What ran in it ends, too. Open another.`,
  });
}
