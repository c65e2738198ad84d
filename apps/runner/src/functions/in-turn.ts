/** Calls of one message in one place of a container: one after the other, the next ones sent in advance, so that the container never waits. */
import type { Container, HarnessOutcome } from "./container.ts";
import type { HeldCall } from "./held-call.ts";
import type { Values } from "./values.ts";

export interface Turn {
  readonly call: HeldCall;
  /** It may be what was thrown, too. */
  readonly outcome: Promise<HarnessOutcome | Error>;
}

export interface Turns {
  /** The call that is to be waited for now; undefined when there is none left. */
  next(): Turn | undefined;
  ended(turn: Turn): void;
  /** Takes away those that the container has not been sent. */
  leave(): HeldCall[];
  /** Takes away those and the ones that were sent in advance. */
  rest(): HeldCall[];
}

export interface TurnsOptions {
  readonly container: Container;
  /** What goes on in the container. */
  readonly running: Set<HeldCall>;
  readonly values: Values;
  /** Whether calls may be sent that begin when those before them have ended. */
  readonly inAdvance: () => boolean;
}

/** What was sent is the container's: it waits there for what goes before it, however long that takes. */
const IN_ADVANCE = 4;

export function callsInTurn(calls: readonly HeldCall[], { container, running, values, inAdvance }: TurnsOptions): Turns {
  const waiting = [...calls];
  let sent: Turn[] = [];

  async function outcomeOf({ id, method, input }: HeldCall, alone: boolean): Promise<HarnessOutcome | Error> {
    try {
      const body = await values.read(input);
      return await container.call({ call: id, method, type: input.type, body, alone });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
  /** A value that is still to be fetched would be overtaken. */
  const canFollow = (call: HeldCall): boolean =>
    sent.length === 0 || (inAdvance() && sent.length <= IN_ADVANCE && [...sent.map((turn) => turn.call), call].every(isInline));

  return {
    next() {
      for (let [call] = waiting; call !== undefined && canFollow(call); [call] = waiting) {
        waiting.shift();
        if (call.verdict === "cancelled") {
          sent.push({ call, outcome: Promise.resolve(new Error("nobody wants it any more")) });
          continue;
        }
        running.add(call);
        sent.push({ call, outcome: outcomeOf(call, waiting.length === 0) });
      }
      return sent[0];
    },
    ended(turn) {
      sent = sent.filter((other) => other !== turn);
      running.delete(turn.call);
    },
    leave: () => waiting.splice(0),
    rest() {
      const inAdvance = sent.splice(0).map(({ call }) => call);
      for (const call of inAdvance) running.delete(call);
      return [...inAdvance, ...waiting.splice(0)];
    },
  };
}

function isInline({ input }: HeldCall): boolean {
  return "data" in input;
}
