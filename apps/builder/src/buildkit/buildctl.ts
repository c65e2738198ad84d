/** Drives BuildKit by its own client, `buildctl`. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { z } from "zod";
import { type BuildKit, SolveError, type SolveRequest, type SolvedImage } from "./buildkit.ts";
import { CONFIG_DESCRIPTOR, dockerConfig, type RegistryCredentials } from "./docker-config.ts";
import { errorIn, isLostConnection, lineIn } from "./messages.ts";
import { type CallBuildctl, deleteRecords, markedBy } from "./records.ts";
import { sealedFile } from "./sealed-file.ts";
import { parseStatus } from "./status.ts";

export interface BuildctlOptions {
  /** The program, by name or path. */
  readonly program: string;
  /** Of buildkitd. */
  readonly address: string;
  /** The whole environment of the program; DOCKER_CONFIG is a directory that {@link linkDockerConfig} made. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the platform's registry, which images are pushed to. */
  readonly registries: RegistryCredentials;
  /** Who else solves here under that name was in the place of this process before. */
  readonly owner: string;
  /** A file that every RUN finds as the secret of that id. */
  readonly secretFiles: Readonly<Record<string, string>>;
}

export function buildctl(options: BuildctlOptions): BuildKit {
  const self = `${options.owner}/${randomUUID()}`;
  /** The marks of solves with secrets whose records could not be deleted. */
  const left = new Set<string>();
  const deleteRecord = async (mark: string): Promise<void> => {
    const marks = new Set([mark, ...left]);
    left.clear();
    try {
      await deleteMarked(options, (one) => marks.has(one), AbortSignal.timeout(RECORD_MS));
    } catch (error) {
      for (const one of marks) left.add(one);
      throw error;
    }
  };
  return {
    async solve(request) {
      if (request.secrets.size === 0) return solve(options, request);
      const mark = `${self}/${randomUUID()}`;
      const [solved] = await Promise.allSettled([solve(options, request, mark)]);
      if (solved.status === "rejected") await deleteUnused(options, AbortSignal.timeout(UNUSED_MS));
      const [deleted] = await Promise.allSettled([deleteRecord(mark)]);
      // What keeps the record of a solve that failed is not told: that record is deleted with the next one.
      if (solved.status === "rejected") throw solved.reason;
      if (deleted.status === "rejected") throw deleted.reason;
      return solved.value;
    },
    ping: (signal) => ping(options, signal),
    deleteAbandonedRecords: (signal) =>
      deleteMarked(options, (mark) => mark.startsWith(`${options.owner}/`) && !mark.startsWith(`${self}/`), signal),
  };
}

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000;
const PING_MS = 5_000;
/** How long a solve that was given up may take to end. */
const RECORD_MS = 30_000;
const UNUSED_MS = 30_000;
/** The end of its output that is kept as the error. */
const ERROR_CHARACTERS = 64 * 1024;

/** @param mark of a solve with secrets */
async function solve(options: BuildctlOptions, request: SolveRequest, mark?: string): Promise<SolvedImage> {
  const metadata = join(dirname(request.dockerfile), `image-${randomUUID()}`);
  const sealed = new Map<string, FileHandle>();
  // A registry that is the platform's too is pushed to, so the platform's credentials count.
  const config = await sealedFile(dockerConfig({ ...request.registries, ...options.registries }));
  try {
    for (const [id, value] of request.secrets) sealed.set(id, await sealedFile(value));
    await runSolve(options, { request, metadata, mark, config, sealed });
    return { digest: Metadata.parse(JSON.parse(await readFile(metadata, "utf8")))["containerimage.digest"] };
  } finally {
    await Promise.all([config, ...sealed.values()].map((file) => file.close()));
  }
}

/**
 * A step that failed may have written a secret into the file system that it had, which BuildKit deletes within a minute.
 * A prune of nothing has it do so now; one that does not come through leaves it to that.
 */
async function deleteUnused(options: BuildctlOptions, signal: AbortSignal): Promise<void> {
  await caller(options, signal)(["prune", "--filter", "id==nothing"]).catch(() => undefined);
}

function caller({ program, address, environment }: BuildctlOptions, signal: AbortSignal): CallBuildctl {
  return async (args) =>
    (await execa(program, ["--addr", address, ...args], { env: environment, extendEnv: false, cancelSignal: signal })).stdout;
}

async function deleteMarked(options: BuildctlOptions, isMeant: (mark: string) => boolean, signal: AbortSignal): Promise<void> {
  try {
    await deleteRecords(caller(options, signal), isMeant, signal);
  } catch (error) {
    const message = `BuildKit's record of a solve with secrets could not be deleted: ${String(error)}`;
    throw new SolveError("lost", message, { cause: error });
  }
}

const Metadata = z.object({ "containerimage.digest": z.string() });

interface PreparedSolve {
  readonly request: SolveRequest;
  readonly metadata: string;
  /** Of a solve with secrets. */
  readonly mark: string | undefined;
  readonly config: FileHandle;
  readonly sealed: ReadonlyMap<string, FileHandle>;
}

async function runSolve({ program, address, environment, secretFiles }: BuildctlOptions, prepared: PreparedSolve): Promise<void> {
  const { request, config, sealed } = prepared;
  const { signal, onStatus } = request;
  signal.throwIfAborted();
  const child = spawn("setpriv", [...ENDS_WITH_US, program, "--addr", address, ...solveArguments(prepared, secretFiles)], {
    stdio: ["ignore", "ignore", "pipe", ...[config, ...sealed.values()].map(({ fd }) => fd)],
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
  throw new SolveError(isLostConnection(message) ? "lost" : "failed", message, { line: lineIn(text) });
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

function solveArguments({ request, metadata, mark, sealed }: PreparedSolve, secretFiles: Readonly<Record<string, string>>): string[] {
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
    "--frontend=dockerfile.v0",
    `--local=dockerfile=${dockerfile}`,
    `--opt=target=${target}`,
    `--opt=platform=${platform}`,
    ...[...contexts].flatMap(([context, { name, path }]) => [`--local=${name}=${path}`, `--opt=context:${context}=local:${name}`]),
    // Of a value after `--opt=` buildctl cuts off white space.
    ...Object.entries(buildArgs).flatMap(([name, value]) => ["--opt", `build-arg:${name}=${value}`]),
    ...(noCache.length === 0 ? [] : [`--opt=no-cache=${noCache.join(",")}`]),
    ...(mark === undefined ? [] : [markedBy(mark)]),
    // The sealed values follow the configuration.
    ...[...sealed.keys()].map((id, index) => `--secret=id=${id},src=/dev/fd/${CONFIG_DESCRIPTOR + 1 + index}`),
    ...Object.entries(secretFiles).map(([id, path]) => `--secret=id=${id},src=${path}`),
    `--output=${image.join(",")}`,
  ];
}

async function ping({ program, address, environment }: BuildctlOptions, signal?: AbortSignal): Promise<void> {
  const cancel = signal === undefined ? {} : { cancelSignal: signal };
  await execa(program, ["--addr", address, "debug", "workers"], { env: environment, extendEnv: false, timeout: PING_MS, ...cancel });
}
