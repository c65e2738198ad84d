/** Drives BuildKit by its own client, `buildctl`. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { z } from "zod";
import { type BuildKit, SolveError, type SolveRequest, type SolvedImage } from "./buildkit.ts";
import { errorIn, isLostConnection } from "./messages.ts";
import { sealedFile } from "./sealed-file.ts";
import { parseStatus } from "./status.ts";

export interface BuildctlOptions {
  /** The program, by name or path. */
  readonly program: string;
  /** Of buildkitd. */
  readonly address: string;
  /** The whole environment of the program; DOCKER_CONFIG names the registry's credentials. */
  readonly environment: Readonly<Record<string, string>>;
  /** A file that every RUN finds as the secret of that id. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

export function buildctl(options: BuildctlOptions): BuildKit {
  return { solve: (request) => solve(options, request), ping: (signal) => ping(options, signal) };
}

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000;
const PING_MS = 5_000;
/** The end of its output that is kept as the error. */
const ERROR_CHARACTERS = 64 * 1024;

async function solve(options: BuildctlOptions, request: SolveRequest): Promise<SolvedImage> {
  const note = (name: string) => join(dirname(request.dockerfile), `${name}-${randomUUID()}`);
  const metadata = note("image");
  const recordFile = note("record");
  const sealed = new Map<string, FileHandle>();
  try {
    for (const [id, value] of request.secrets) sealed.set(id, await sealedFile(value));
    await runSolve(options, { request, metadata, recordFile, sealed });
    return { digest: Metadata.parse(JSON.parse(await readFile(metadata, "utf8")))["containerimage.digest"] };
  } finally {
    await Promise.all([...sealed.values()].map((file) => file.close()));
    if (sealed.size > 0) await deleteRecord(options, recordFile);
  }
}

/** BuildKit keeps a record of each solve on its disk, with all of its output, in which a step may have printed a secret. */
async function deleteRecord({ program, address, environment }: BuildctlOptions, recordFile: string): Promise<void> {
  const record = await readFile(recordFile, "utf8").catch(absent);
  if (record === undefined) return;
  try {
    await execa(program, ["--addr", address, "debug", "ctl", "--delete", record], { env: environment, extendEnv: false });
  } catch (error) {
    const message = `BuildKit's record of a solve with secrets could not be deleted: ${String(error)}`;
    throw new SolveError("lost", message, { cause: error });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

const Metadata = z.object({ "containerimage.digest": z.string() });

interface PreparedSolve {
  readonly request: SolveRequest;
  readonly metadata: string;
  /** Gets the id of BuildKit's record as soon as the solve begins. */
  readonly recordFile: string;
  readonly sealed: ReadonlyMap<string, FileHandle>;
}

async function runSolve({ program, address, environment, secretFiles }: BuildctlOptions, prepared: PreparedSolve): Promise<void> {
  const { request, sealed } = prepared;
  const { signal, onStatus } = request;
  signal.throwIfAborted();
  const child = spawn("setpriv", [...ENDS_WITH_US, program, "--addr", address, ...solveArguments(prepared, secretFiles)], {
    stdio: ["ignore", "ignore", "pipe", ...[...sealed.values()].map(({ fd }) => fd)],
    env: environment,
  });
  const exited = exitOf(child);
  const stopKilling = killOnAbort(child, signal);
  let text = "";
  try {
    for await (const line of linesOf(child)) {
      const status = parseStatus(line);
      if (status === undefined) text = `${text}${line}\n`.slice(-ERROR_CHARACTERS);
      else await onStatus(status);
    }
    await exited;
  } finally {
    child.kill("SIGKILL");
    stopKilling();
  }
  signal.throwIfAborted();
  const exit = await exited;
  if (exit === 0) return;
  if (exit instanceof Error) throw new SolveError("failed", `buildctl cannot be started by setpriv: ${exit.message}`, { cause: exit });
  if (typeof exit === "string") throw new SolveError("lost", `buildctl was ended by ${exit}`);
  const message = errorIn(text);
  throw new SolveError(isLostConnection(message) ? "lost" : "failed", message);
}

/** A solve that outlived a builder that was killed would keep the step in hand running, whoever wants it still. */
const ENDS_WITH_US = ["--pdeathsig", "KILL", "--"];

/** Its exit code, the signal that ended it, or why it did not start. */
function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | Error> {
  return new Promise((resolve) => {
    child.once("error", resolve);
    child.once("close", (code, signal) => resolve(code ?? signal ?? 1));
  });
}

/** SIGTERM, and SIGKILL a while later. Returns what undoes it. */
function killOnAbort(child: ChildProcess, signal: AbortSignal): () => void {
  let timer: NodeJS.Timeout | undefined;
  const kill = () => {
    child.kill("SIGTERM");
    timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", kill, { once: true });
  return () => {
    signal.removeEventListener("abort", kill);
    clearTimeout(timer);
  };
}

function linesOf({ stderr }: ChildProcess): AsyncIterable<string> {
  if (stderr === null) throw new TypeError("buildctl writes to a pipe");
  return createInterface({ input: stderr, crlfDelay: Infinity });
}

function solveArguments({ request, metadata, recordFile, sealed }: PreparedSolve, secretFiles: Readonly<Record<string, string>>): string[] {
  const { dockerfile, target, contexts, buildArgs, noCache, platform, output } = request;
  const image = [
    "type=image",
    `name=${output.name}`,
    "push=true",
    "push-by-digest=true",
    "oci-mediatypes=true",
    `compression=${output.compression}`,
    ...Object.entries(output.annotations).map(([name, value]) => `annotation.${name}=${value}`),
  ];
  return [
    "build",
    "--progress=rawjson",
    `--metadata-file=${metadata}`,
    `--ref-file=${recordFile}`,
    "--frontend=dockerfile.v0",
    `--local=dockerfile=${dockerfile}`,
    `--opt=target=${target}`,
    `--opt=platform=${platform}`,
    ...[...contexts].flatMap(([context, { name, path }]) => [`--local=${name}=${path}`, `--opt=context:${context}=local:${name}`]),
    ...Object.entries(buildArgs).map(([name, value]) => `--opt=build-arg:${name}=${value}`),
    ...(noCache.length === 0 ? [] : [`--opt=no-cache=${noCache.join(",")}`]),
    // The sealed files follow stdin, stdout and stderr.
    ...[...sealed.keys()].map((id, index) => `--secret=id=${id},src=/dev/fd/${index + 3}`),
    ...Object.entries(secretFiles).map(([id, path]) => `--secret=id=${id},src=${path}`),
    `--output=${image.join(",")}`,
  ];
}

async function ping({ program, address, environment }: BuildctlOptions, signal?: AbortSignal): Promise<void> {
  const cancel = signal === undefined ? {} : { cancelSignal: signal };
  await execa(program, ["--addr", address, "debug", "workers"], { env: environment, extendEnv: false, timeout: PING_MS, ...cancel });
}
