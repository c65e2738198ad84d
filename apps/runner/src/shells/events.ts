/**
 * The events of one shell, on their way to who follows it.
 *
 * I1: they are numbered without gaps, and each is kept until it is known to have been seen, so that it can be sent again.
 * I2: when much has not been seen yet, who adds more is told to wait; nothing is dropped.
 */
import { type NumberedShellEvent, type ShellEvent, UNSEEN_BYTES } from "@lamina/api";

export interface ShellEvents {
  /** @returns when to add more, where that is not at once */
  add(event: ShellEvent): Promise<void> | undefined;
  /** All up to that number. */
  seen(number: number): void;
  /** Sends again what comes after that number. */
  sendAgain(after: number): void;
  /** Resolves when all that was added by now has been seen. */
  allSeen(): Promise<void>;
  /** Nobody will see them: who waits waits no longer. */
  abandon(): void;
}

export function shellEvents(send: (event: NumberedShellEvent) => void): ShellEvents {
  let unseen: NumberedShellEvent[] = [];
  let unseenBytes = 0;
  let last = 0;
  let isAbandoned = false;
  let waiting: { readonly isOver: () => boolean; readonly proceed: () => void }[] = [];

  const until = (isOver: () => boolean): Promise<void> =>
    new Promise((proceed) => {
      waiting.push({ isOver, proceed });
      wake();
    });
  const wake = (): void => {
    const over = waiting.filter(({ isOver }) => isAbandoned || isOver());
    waiting = waiting.filter((one) => !over.includes(one));
    for (const { proceed } of over) proceed();
  };

  return {
    add(event) {
      if (isAbandoned) return undefined;
      last += 1;
      const numbered = { number: last, event };
      unseen.push(numbered);
      unseenBytes += bytesOf(event);
      send(numbered);
      return unseenBytes <= UNSEEN_BYTES ? undefined : until(() => unseenBytes <= UNSEEN_BYTES);
    },
    seen(number) {
      unseen = unseen.filter((one) => one.number > number);
      unseenBytes = unseen.reduce((sum, { event }) => sum + bytesOf(event), 0);
      wake();
    },
    sendAgain(after) {
      for (const one of unseen) if (one.number > after) send(one);
    },
    allSeen() {
      const number = last;
      return until(() => !unseen.some((one) => one.number <= number));
    },
    abandon() {
      isAbandoned = true;
      wake();
    },
  };
}

function bytesOf(event: ShellEvent): number {
  return event.type === "shell-output" ? event.data.length : 0;
}
