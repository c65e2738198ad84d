/** What runs containers. */

export interface Engine {
  /** Has the image there, by its reference with a digest. @throws {LaminaError} REGISTRY_UNAVAILABLE, or the signal's reason */
  pull(image: string, signal: AbortSignal): Promise<void>;
  /**
   * Runs a command in a new container of an image that is there, and removes the container. It has the image's environment, working
   * directory and user; the image's entry point is left out.
   * @returns the exit code of the command: 128 and the signal's number when a signal ended it, 127 when it was not found, 126 when it could
   *   not be executed; why is then the last of its stderr
   * @throws {LaminaError} RUN_FAILED when the container could not be started or was lost, or the signal's reason after it was stopped
   */
  run(container: ContainerRun): Promise<number>;
  /** Ends and removes the containers that an earlier process of the same owner has left. */
  removeLeftovers(): Promise<void>;
  /** @throws {LaminaError} RUN_FAILED when nothing can be run */
  ping(): Promise<void>;
}

export interface ContainerRun {
  readonly image: string;
  readonly command: readonly string[];
  /** Told of output as it comes, in the order of its stream. The command waits while it is pending. */
  readonly onOutput: (stream: OutputStream, bytes: Buffer) => Promise<void>;
  /** Stops the command: SIGTERM, and SIGKILL when it is still there after some seconds. */
  readonly signal: AbortSignal;
}

export type OutputStream = "stdout" | "stderr";
