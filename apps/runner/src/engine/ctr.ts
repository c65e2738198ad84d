/** Calls of `ctr`, containerd's own client. */
import { execa } from "execa";

export interface CtrOptions {
  /** The path of `ctr`. */
  readonly program: string;
  /** The socket of containerd. */
  readonly address: string;
  /** The whole environment of `ctr`. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface CtrResult {
  readonly stdout: string;
  /** That of `ctr run` is its container's; -1 when `ctr` itself was ended. */
  readonly exitCode: number;
  /** What `ctr` says went wrong. It says nothing about a container that ended with an exit code. */
  readonly complaint: string | undefined;
}

/** Never throws for what `ctr` does: the result tells. */
export type Ctr = (args: readonly string[], signal?: AbortSignal) => Promise<CtrResult>;

/** Of containerd: what others have in it is not seen. */
const NAMESPACE = "lamina";

export function createCtr({ program, address, environment }: CtrOptions): Ctr {
  return async (args, signal) => {
    const { stdout, stderr, exitCode, shortMessage } = await execa(program, ["--address", address, "--namespace", NAMESPACE, ...args], {
      stdin: "ignore",
      reject: false,
      extendEnv: false,
      env: { ...environment, CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS: "1" },
      ...(signal && { cancelSignal: signal }),
    });
    if (exitCode === undefined) return { stdout, exitCode: -1, complaint: shortMessage ?? "ctr did not end by itself" };
    return { stdout, exitCode, complaint: /^ctr: (.*)$/ms.exec(stderr)?.[1] };
  };
}
