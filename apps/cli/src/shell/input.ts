/** What is typed, or comes over a pipe, on its way to a shell: piece by piece, each once and in order. */
import type { Readable } from "node:stream";
import { INPUT_BYTES } from "lamina";

export interface Piece {
  /** Counted from 1. */
  readonly number: number;
  /** In base64. */
  readonly data: string;
  readonly isEnd: boolean;
}

export interface InputOptions {
  readonly source: Readable;
  /** Resolves to whether it was taken; else it is written again. */
  readonly write: (piece: Piece) => Promise<boolean>;
  /** Ctrl-C was typed while nobody had answered for a while. */
  readonly onGivenUp: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** What may wait here before no more is read. */
const MOST_WAITING = 4 * INPUT_BYTES;
/** So long an answer may take before Ctrl-C is meant for this program. */
const UNANSWERED_MS = 3_000;
const CTRL_C = 3;

interface State {
  isAtEnd: boolean;
  isEndSent: boolean;
  isOver: boolean;
  /** Since when an answer is waited for. */
  askedAt: number | undefined;
}

/** Reads until the end, or until it is disposed of. */
export function sendInput({ source, write, onGivenUp, onFailure }: InputOptions): Disposable {
  let waiting: Buffer[] = [];
  let number = 0;
  let sending: Promise<void> | undefined;
  const state: State = { isAtEnd: false, isEndSent: false, isOver: false, askedAt: undefined };

  /** The next piece, if there is one. */
  function next(): Piece | undefined {
    if (state.isOver || state.isEndSent || (waiting.length === 0 && !state.isAtEnd)) return undefined;
    const bytes = Buffer.concat(waiting);
    const rest = bytes.subarray(INPUT_BYTES);
    waiting = rest.length === 0 ? [] : [rest];
    if (rest.length < MOST_WAITING) source.resume();
    state.isEndSent = state.isAtEnd && rest.length === 0;
    number += 1;
    return { number, data: bytes.subarray(0, INPUT_BYTES).toString("base64"), isEnd: state.isEndSent };
  }

  async function send(): Promise<void> {
    for (let piece = next(); piece !== undefined; piece = next()) {
      do {
        state.askedAt = performance.now();
      } while (!(await write(piece)) && !state.isOver);
      state.askedAt = undefined;
    }
  }

  function more(): void {
    sending ??= send()
      .catch((error: unknown) => {
        if (!state.isOver) onFailure(error);
      })
      .finally(() => (sending = undefined));
  }

  const onData = (bytes: Buffer): void => {
    if (bytes.includes(CTRL_C) && state.askedAt !== undefined && performance.now() - state.askedAt > UNANSWERED_MS) onGivenUp();
    waiting.push(bytes);
    if (waiting.reduce((sum, { length }) => sum + length, 0) >= MOST_WAITING) source.pause();
    more();
  };
  const onEnd = (): void => {
    state.isAtEnd = true;
    more();
  };
  source.on("data", onData);
  source.once("end", onEnd);
  // As when the terminal is closed.
  source.once("error", onEnd);
  return {
    [Symbol.dispose]() {
      state.isOver = true;
      source.off("data", onData);
      source.off("end", onEnd);
      source.pause();
    },
  };
}
