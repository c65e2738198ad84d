/** What runs the containers of functions, and of shells. */
import type { Limits } from "./cgroups.ts";
import type { OutputStream } from "./engine.ts";
import type { ExecutableImage } from "./executable-image.ts";

export interface FunctionContainers {
  /** Has the image there, ready for containers. @throws {LaminaError} REGISTRY_UNAVAILABLE, or the signal's reason */
  prepare(image: string, signal: AbortSignal): Promise<ExecutableImage>;
  /** A place for a container, with its network; there is one in reserve. @throws {LaminaError} FUNCTION_BROKEN */
  place(): Promise<ContainerPlace>;
  /** Starts a container in its place. */
  start(place: ContainerPlace, container: ContainerSpec): Promise<StartedContainer>;
  /** The same with somebody at its input and output. */
  startAttended(place: ContainerPlace, container: ContainerSpec, attendance: Attendance): Promise<AttendedContainer>;
}

export interface ContainerPlace {
  readonly id: string;
  /** A directory that the container has as /lamina/run: the pipes `stdout` and `stderr` are in it. */
  readonly run: string;
  /** Gives it back when nothing was started in it. */
  discard(): Promise<void>;
}

export interface ContainerSpec {
  readonly image: ExecutableImage;
  readonly command: readonly string[];
  /** Beside those of the image. In memory alone. */
  readonly environment: Readonly<Record<string, string>>;
  /** Directories and files of the machine that the container sees and cannot change. */
  readonly readOnly: readonly { readonly source: string; readonly target: string }[];
  /** Without them it may have what there is. */
  readonly limits: Limits | undefined;
  /** CDI devices by their full names. */
  readonly devices: readonly string[];
}

export interface StartedContainer {
  /** Resolves when it has ended, with all of its processes. */
  readonly exited: Promise<ContainerExit>;
  /** Ends it at once. */
  kill(): void;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Attendance {
  /** Without it, input and output are pipes. */
  readonly terminal: TerminalSize | undefined;
  /** Told of output as it comes; that of a terminal is all stdout. What it returns is waited for before more is read. */
  readonly onOutput: (stream: OutputStream, bytes: Buffer) => Promise<void> | undefined;
}

/** What a command may wait for, by reading a line of it, before it uses its terminal: that is as it should be from then on. */
export const GATE = "/lamina/run/go";

export interface AttendedContainer extends StartedContainer {
  /** Resolves when its command runs; not at all where it never does. */
  readonly running: Promise<void>;
  readonly exited: Promise<AttendedExit>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Nothing more is written. */
  end(): void;
  /** Of its terminal. */
  resize(size: TerminalSize): void;
}

export interface ContainerExit {
  /** That of its first process: 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  /** It, or a part of it, was ended since it had more memory than it may have. */
  readonly outOfMemory: boolean;
  /** The last of what was said before the harness took the pipes, the runtime's own complaints among it. */
  readonly said: string;
}

/** Where its command has not run, `said` says why. */
export type AttendedExit = ContainerExit & { readonly hasRun: boolean };
