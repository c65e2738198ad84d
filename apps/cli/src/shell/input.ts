/** What is typed, or comes over a pipe, on its way to a shell: piece by piece, each once and in order. */
import type { Readable } from "node:stream";
import { INPUT_BYTES } from "lamina";

export interface InputOptions {
  readonly source: Readable;
  /** Resolves to whether it was taken; else it is written again. */
  readonly write: (piece: { readonly number: number; readonly data: string; readonly isEnd: boolean }) => Promise<boolean>;
  /** Ctrl-C was typed while nobody had answered for a while. */
  readonly onGivenUp: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** What may wait here before no more is read. */
const MOST_WAITING = 4 * INPUT_BYTES;
/** So long an answer may take before Ctrl-C is meant for this program. */
const UNANSWERED_MS = 3_000;
const CTRL_C = 3;

/** Reads until the end, or until it is disposed of. */
export function sendInput({ source, write, onGivenUp, onFailure }: InputOptions): Disposable {
  let waiting: Buffer[] = [];
  let isAtEnd = false;
  let isOver = false;
  let number = 0;
  let sending: Promise<void> | undefined;
  let askedAt: number | undefined;

  async function send(): Promise<void> {
    while (!isOver && (waiting.length > 0 || isAtEnd)) {
      const bytes = Buffer.concat(waiting);
      const piece = bytes.subarray(0, INPUT_BYTES);
      const rest = bytes.subarray(INPUT_BYTES);
      waiting = rest.length === 0 ? [] : [rest];
      if (rest.length < MOST_WAITING) source.resume();
      const isEnd = isAtEnd && rest.length === 0;
      number += 1;
      await written({ number, data: piece.toString("base64"), isEnd });
      if (isEnd) return;
    }
  }

  async function written(piece: Parameters<InputOptions["write"]>[0]): Promise<void> {
    for (let taken = false; !taken && !isOver;) {
      askedAt = performance.now();
      taken = await write(piece);
      askedAt = undefined;
    }
  }

  function more(): void {
    sending ??= send()
      .catch((error: unknown) => {
        if (!isOver) onFailure(error);
      })
      .finally(() => (sending = undefined));
  }

  const onData = (bytes: Buffer): void => {
    if (bytes.includes(CTRL_C) && askedAt !== undefined && performance.now() - askedAt > UNANSWERED_MS) onGivenUp();
    waiting.push(bytes);
    if (waiting.reduce((sum, { length }) => sum + length, 0) >= MOST_WAITING) source.pause();
    more();
  };
  const onEnd = (): void => {
    isAtEnd = true;
    more();
  };
  source.on("data", onData);
  source.once("end", onEnd);
  // As when the terminal is closed.
  source.once("error", onEnd);
  return {
    [Symbol.dispose]() {
      isOver = true;
      source.off("data", onData);
      source.off("end", onEnd);
      source.pause();
    },
  };
}
