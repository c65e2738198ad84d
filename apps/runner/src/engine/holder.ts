/**
 * The process that holds what containers of functions are made of: a process and a mount name space, in which every mount is made
 * and every program runs. It ends with this process, however this one ends, and the kernel ends and undoes all the rest with it.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LaminaError } from "@lamina/api";

export interface Holder extends AsyncDisposable {
  /** A directory in memory that only what runs inside sees. */
  readonly memory: string;
  /** Where this process finds a path of the inside. */
  fromHere(path: string): string;
  /** Runs a script of `sh` inside, with arguments. */
  run(script: string, args: readonly string[], stdio: StdioOptions): ChildProcess;
  /** Resolves, with a reason, when it has ended before it was disposed. */
  readonly lost: Promise<string>;
}

export interface HolderOptions {
  /** An empty directory, or one that is not there yet. */
  readonly directory: string;
  /** What leads into the user name space of containerd, for a user who is not root. */
  readonly enter: readonly string[];
  /** The whole environment of what it runs. */
  readonly environment: Readonly<Record<string, string>>;
}

// Process 1 of the name space: what is orphaned there is reaped by the kernel, since the signal of a child's end is ignored.
const INIT = `
set -e
mount -t tmpfs -o mode=0700 lamina "$1"
mkdir "$1/runc" "$1/bundles" "$1/networks"
trap '' CHLD
echo ready
exec sleep infinity
`;
const ISOLATED = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--propagation", "slave"];

/** @throws {LaminaError} FUNCTION_BROKEN when this user may not do so */
export async function startHolder({ directory, enter, environment: env }: HolderOptions): Promise<Holder> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const command = ["setpriv", "--pdeathsig", "KILL", ...ISOLATED, "sh", "-c", INIT, "sh", directory];
  const child = spawn(enter[0] ?? "env", [...enter.slice(1), ...command], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(complaint.trim() || `it ended with ${code ?? signal}`));
  });
  const failure = await Promise.race([once(child.stdout, "data").then(() => undefined), ended]);
  if (failure !== undefined || child.pid === undefined) {
    throw new LaminaError({ code: "FUNCTION_BROKEN", message: `Containers of functions cannot be isolated here: ${failure}` });
  }
  const init = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).split(" ")[0] ?? "";
  const user = enter.length === 0 ? [] : ["--user", "--preserve-credentials"];
  const { promise: lost, resolve: lose } = Promise.withResolvers<string>();
  let disposed = false;
  void ended.then((reason) => {
    if (!disposed) lose(reason);
  });
  return {
    memory: directory,
    fromHere: (path) => join("/proc", init, "root", path),
    run: (script, args, stdio) =>
      spawn("nsenter", ["--target", init, ...user, "--mount", "--pid", "--", "sh", "-c", script, "sh", ...args], { env, stdio }),
    lost,
    async [Symbol.asyncDispose]() {
      disposed = true;
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The end of a script that is to succeed. @throws with what it said last */
export async function finished(child: ChildProcess): Promise<void> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(said.trim() || `a program ended with ${code}`);
}
