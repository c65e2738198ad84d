/** What comes out of the pipes of a container, line by line, and of which call it is. */
import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";

export type OutputStream = "stdout" | "stderr";
const STREAMS = ["stdout", "stderr"] as const;

export interface OutputReader {
  /** Resolves when both pipes have the marker that ends the set-up. */
  readonly setUp: Promise<void>;
  /** What comes from now on belongs to the call, up to its marker. */
  begin(call: string): void;
  /** Resolves when both pipes have the marker of a call, or their ends. */
  ended(call: string): Promise<void>;
  /** Ends a call after which both pipes were empty. @returns when that is not at once */
  endedWithoutMarker(call: string): Promise<void> | undefined;
  /** Resolves when both pipes are read to their ends. */
  readonly closed: Promise<void>;
  /** Stops reading: who writes waits then, and nothing more is told. */
  close(): void;
}

export interface OutputOptions {
  /** Where the pipes `stdout` and `stderr` are. */
  readonly directory: string;
  /** Told of lines. What it returns is waited for before more is read. */
  readonly onLines: (call: string | undefined, stream: OutputStream, lines: readonly string[]) => Promise<void> | undefined;
}

/** Of a line that does not end. */
const LONGEST_LINE = 64 * 1024;

export function readOutput({ directory, onLines }: OutputOptions): OutputReader {
  const pipes = STREAMS.map((stream) => readPipe(join(directory, stream), (call, lines) => onLines(call, stream, lines)));
  return {
    begin: (call) => pipes.forEach((pipe) => pipe.begin(call)),
    setUp: Promise.all(pipes.map(({ setUp }) => setUp)).then(() => undefined),
    async ended(call) {
      await Promise.all(pipes.map((pipe) => pipe.ended(call)));
    },
    endedWithoutMarker(call) {
      const waits = pipes.map((pipe) => pipe.endedWithoutMarker(call)).filter((wait) => wait !== undefined);
      return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
    },
    closed: Promise.all(pipes.map(({ closed }) => closed)).then(() => undefined),
    close: () => pipes.forEach((pipe) => pipe.close()),
  };
}

function readPipe(path: string, onLines: (call: string | undefined, lines: string[]) => Promise<void> | undefined) {
  // Not blocking, so that it opens before there is a writer; it ends after the last one.
  const pipe = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  const decoder = new StringDecoder("utf8");
  const marked = new Map<string, () => void>();
  /** Those that began and whose markers have not come; what is read is the first one's. */
  const calls: string[] = [];
  let started = "";
  let isSetUp = false;
  const { promise: setUp, resolve: endSetUp } = Promise.withResolvers<void>();

  const take = (text: string): Promise<void>[] => {
    const waits: Promise<void>[] = [];
    const tell = (call: string | undefined, lines: string[]) => {
      const wait = lines.length === 0 ? undefined : onLines(call, lines);
      if (wait !== undefined) waits.push(wait);
    };
    started += text;
    for (;;) {
      const [call] = calls;
      // Any other NUL is the user's.
      const marker = isSetUp && call === undefined ? undefined : `\0${isSetUp ? call : ""}\n`;
      const end = marker === undefined ? -1 : started.indexOf(marker);
      const lines = (end === -1 ? started : started.slice(0, end)).split("\n");
      const rest = lines.pop() ?? "";
      if (marker === undefined || end === -1) {
        // The beginning of a marker may be at its end.
        const told = rest.length > LONGEST_LINE ? rest.length - (marker?.length ?? 0) : 0;
        tell(call, told > 0 ? [...lines, rest.slice(0, told)] : lines);
        started = rest.slice(told);
        return waits;
      }
      tell(call, rest === "" ? lines : [...lines, rest]);
      started = started.slice(end + marker.length);
      if (isSetUp && call !== undefined) {
        calls.shift();
        marked.get(call)?.();
      } else {
        isSetUp = true;
        endSetUp();
      }
    }
  };
  pipe.on("data", (chunk: Buffer) => {
    const waits = take(decoder.write(chunk));
    if (waits.length === 0) return;
    pipe.pause();
    void Promise.all(waits).finally(() => pipe.resume());
  });
  const closed = new Promise<void>((resolve) => pipe.once("close", () => resolve()));
  const untilRead = async (): Promise<void> => {
    while ((pipe.isPaused() || pipe.readableLength > 0) && !pipe.destroyed) {
      if (pipe.isPaused()) await Promise.race([new Promise((resolve) => pipe.once("resume", resolve)), closed]);
      // What it holds comes in the next turns.
      else await new Promise((resolve) => setImmediate(resolve));
    }
  };
  pipe.on("error", () => undefined);
  return {
    begin: (call: string) => void calls.push(call),
    async ended(call: string): Promise<void> {
      if (!calls.includes(call)) return;
      await Promise.race([new Promise<void>((resolve) => marked.set(call, resolve)), closed]);
      marked.delete(call);
    },
    endedWithoutMarker(call: string): Promise<void> | undefined {
      const end = (): void => {
        // What was begun of a letter is this call's as well.
        started += decoder.end();
        if (started !== "") void onLines(call, [started]);
        started = "";
        const index = calls.indexOf(call);
        if (index !== -1) calls.splice(index, 1);
      };
      // What was read waits here while lines before it are written.
      if (pipe.isPaused() || pipe.readableLength > 0) return untilRead().then(end);
      end();
      return undefined;
    },
    setUp,
    closed,
    close() {
      if (started !== "") void onLines(calls[0], [started]);
      pipe.destroy();
    },
  };
}
