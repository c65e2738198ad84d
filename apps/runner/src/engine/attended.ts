/**
 * A container with somebody at its input and output: over pipes, or at a terminal, which runc makes and copies to and from pipes.
 *
 * What runc takes for its own terminal there is our stderr: the one end of a pair whose other end nobody has. No byte goes through it, and what
 * runc has to say goes to a file.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync, constants, existsSync, openSync, watch, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Attendance, GATE, type TerminalSize } from "./function-containers.ts";
import { finished, type Holder } from "./holder.ts";

export interface AttendedProcess {
  /** Resolves when its command runs; not at all where it never does. */
  readonly running: Promise<void>;
  readonly exited: Promise<{ readonly exitCode: number; readonly hasRun: boolean; readonly said: string }>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
  /** Of a terminal. */
  resize(size: TerminalSize): void;
}

export interface AttendedOptions extends Attendance {
  readonly holder: Holder;
  /** Of the container's place. */
  readonly directory: string;
  /** As every start takes them. */
  readonly args: readonly string[];
}

const START = `
cd "$1" && mount -t overlay -o "$2" overlay "$3/root" 2>"$3/log" || exit 125
if [ -t 2 ]; then
  mkfifo -m 644 "$3/run/go" 2>"$3/log" && stty rows "$7" cols "$8" <&2 2>"$3/log" || exit 125
fi
exec runc --root "$4" --log "$3/log" run --keep --bundle "$5" --pid-file "$3/pid" "$6"
`;
/** The first one of those in the container. */
const TERMINAL = '"/proc/$(cat "$1/pid")/root/dev/pts/0"';
// runc lets a line of it end without a return to its beginning, as if another terminal behind it would add that.
const SET_UP = `stty onlcr <${TERMINAL}`;
const RESIZE = `stty rows "$2" cols "$3" <${TERMINAL}`;

export function attend({ holder, directory, args, terminal, onOutput }: AttendedOptions): AttendedProcess {
  const { promise: running, resolve: isRunning } = Promise.withResolvers<void>();
  const created = creationIn(directory);
  const inside = (script: string, ...more: string[]) => finished(holder.run(script, [directory, ...more], ["ignore", "ignore", "pipe"]));
  const own = terminal && openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY);
  const child = holder.run(START, [...args, ...sizeOf(terminal)], ["pipe", "pipe", own ?? "pipe"]);
  if (own !== undefined) closeSync(own);
  const { stdin, stdout, stderr } = child;
  // That nobody reads it any more is told by the end.
  stdin?.on("error", () => undefined);

  async function conclude() {
    const ended = endOf(child);
    const hasRun = await Promise.race([created.promise.then(() => true), ended.then(() => existsSync(join(directory, "pid")))]);
    created[Symbol.dispose]();
    using _opened = hasRun && terminal !== undefined ? await openGate() : undefined;
    // What came before the command ran is not of the command.
    if (hasRun) {
      isRunning();
      await Promise.all([read(stdout, (bytes) => onOutput("stdout", bytes)), read(stderr, (bytes) => onOutput("stderr", bytes))]);
    }
    const exitCode = await ended;
    return { exitCode, hasRun, said: await readFile(join(directory, "log"), "utf8").catch(() => "") };
  }

  /** To be kept open until the end: what is in a pipe goes with its last descriptor. */
  async function openGate(): Promise<Disposable> {
    // It fails where the command has ended already, or where nothing waits for it.
    await inside(SET_UP).catch(() => undefined);
    const descriptor = openSync(join(directory, "run", GATE_NAME), constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(descriptor, "\n");
    return { [Symbol.dispose]: () => closeSync(descriptor) };
  }

  let size = terminal;
  let resizing: Promise<void> | undefined;
  async function resize(): Promise<void> {
    await running;
    for (let set = terminal; set !== size;) {
      set = size;
      await inside(RESIZE, ...sizeOf(set));
    }
  }

  return {
    running,
    exited: conclude(),
    write: (bytes) => new Promise((resolve) => (stdin === null ? resolve() : stdin.write(bytes, () => resolve()))),
    end: () => void stdin?.end(),
    resize(wanted) {
      size = wanted;
      if (terminal === undefined || resizing !== undefined) return;
      // It fails where the command has just ended.
      resizing = resize().catch(() => undefined);
      void resizing.then(() => (resizing = undefined));
    },
  };
}

const GATE_NAME = GATE.slice(GATE.lastIndexOf("/") + 1);

function sizeOf(size: TerminalSize | undefined): string[] {
  return size === undefined ? [] : [String(size.rows), String(size.columns)];
}

/** Resolves when runc says that the container is there. */
function creationIn(directory: string): Disposable & { readonly promise: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(directory, (_, name) => {
    if (name === "pid") resolve();
  });
  return { promise, [Symbol.dispose]: () => watcher.close() };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("error", () => resolve(125));
    child.once("exit", (code) => resolve(code ?? 137));
  });
}

async function read(pipe: Readable | null, onBytes: (bytes: Buffer) => Promise<void> | undefined): Promise<void> {
  if (pipe === null) return;
  const chunks: AsyncIterable<Buffer> = pipe;
  for await (const bytes of chunks) await onBytes(bytes);
}
