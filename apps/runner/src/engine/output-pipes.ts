/**
 * The output of one container, apart from what `ctr` says itself. containerd gives a container's stdout and stderr to a logger process of
 * ours as its file descriptors 3 and 4; the logger copies each to a named pipe that this process reads. So a container cannot feign a
 * message of `ctr`, and the other way round.
 */
import { type FSWatcher, constants, openSync, watch } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import type { OutputStream } from "./engine.ts";

export interface OutputPipes extends AsyncDisposable {
  /** For `ctr run --log-uri`. */
  readonly logUri: string;
  /** For `ctr run --pid-file`. */
  readonly pidFile: string;
  /** Resolves when the container has been created, as its pid file tells. What was written before is not of its command. */
  readonly created: Promise<undefined>;
  /** Reads both streams to their ends, side by side. */
  read(onOutput: (stream: OutputStream, bytes: Buffer) => Promise<void>): Promise<void>;
}

/** @param directory is made, and removed in the end */
export async function openOutputPipes(directory: string): Promise<OutputPipes> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const paths = { stdout: join(directory, "stdout"), stderr: join(directory, "stderr"), pid: join(directory, "pid") };
  await execa("mkfifo", ["-m", "600", paths.stdout, paths.stderr]);
  const [stdout, stderr] = [openPipe(paths.stdout), openPipe(paths.stderr)];
  const { promise: created, resolve } = Promise.withResolvers<undefined>();
  const watcher: FSWatcher = watch(directory, (_, name) => {
    if (name === "pid") resolve(undefined);
  });
  return {
    logUri: loggerUri(paths),
    pidFile: paths.pid,
    created,
    async read(onOutput) {
      await Promise.all([readAll(stdout, (bytes) => onOutput("stdout", bytes)), readAll(stderr, (bytes) => onOutput("stderr", bytes))]);
    },
    async [Symbol.asyncDispose]() {
      watcher.close();
      stdout.destroy();
      stderr.destroy();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Not blocking, so that it opens before there is a writer. The socket owns the descriptor, as a file handle would not let it. */
function openPipe(path: string): Socket {
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

async function readAll(pipe: Socket, onBytes: (bytes: Buffer) => Promise<void>): Promise<void> {
  const chunks: AsyncIterable<Buffer> = pipe;
  for await (const bytes of chunks) await onBytes(bytes);
}

/** The logger is told to end when the container has; it ignores that, and ends when it has copied everything. Closing 5 says that it is ready. */
function loggerUri({ stdout, stderr }: { stdout: string; stderr: string }): string {
  const script = `trap '' TERM; exec 5>&-; cat <&3 >${shellQuote(stdout)} & cat <&4 >${shellQuote(stderr)} & wait`;
  return `binary:///bin/sh?-c=${encodeURIComponent(script)}`;
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
