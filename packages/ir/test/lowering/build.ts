/** Lowers steps and builds them with a real BuildKit. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { servers, uv } from "@lamina/testkit";
import { execa } from "execa";
import { z } from "zod";
import {
  CA_SECRET,
  type FailedCommand,
  type LowerRequest,
  type Lowered,
  type LoweredContext,
  type ResolvedStep,
  failedCommand,
  failedSearch,
  lower,
} from "../../src/index.ts";
import { type FixtureTree, writeTree } from "../golden/fixture-tree.ts";
import { readProgress } from "./progress.ts";

export interface BuildInput {
  /** The image to start from, or the name of a stage. */
  readonly from: string;
  readonly steps: readonly ResolvedStep[];
  readonly user?: string | undefined;
  readonly trees?: readonly FixtureTree[] | undefined;
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** A bundle of certificate authorities to hand in. */
  readonly ca?: string | undefined;
  /** Commands that have to succeed inside the image, in a further layer that is thrown away. */
  readonly look?: readonly string[] | undefined;
  /** Names of stages that are made again even where they are cached. */
  readonly noCache?: readonly string[] | undefined;
  /** `image`: push to that repository of the test registry; `directory`: bring the files of /out there. */
  readonly output?: { readonly kind: "image"; readonly repository: string } | { readonly kind: "directory"; readonly destination: string };
}

/** `lines` is what the steps printed; `names` are BuildKit's names of what it did; `kept` is what the search for secrets says. */
export type BuildOutcome = { readonly lines: readonly string[]; readonly names: readonly string[] } & (
  | { readonly status: "built"; readonly digest: string | undefined }
  | { readonly status: "failed"; readonly error: string; readonly failed: FailedCommand | undefined; readonly kept: readonly string[] }
);

/** Builds all steps. Throws only when BuildKit could not be asked. */
export async function build(input: BuildInput): Promise<BuildOutcome> {
  return buildLowered(input, lower(requestFor(input)));
}

/** Builds what was lowered before. */
export async function buildLowered(input: BuildInput, lowered: Lowered): Promise<BuildOutcome> {
  const work = await mkdtemp(join(tmpdir(), "lamina-lowering-"));
  try {
    const last = lowered.stages.at(-1)?.target ?? "";
    const common = await stage(work, input, lowered);
    const looked = input.look === undefined ? undefined : await solve(work, [...common, "--opt", "target=look"]);
    if (looked?.status === "failed" || (looked !== undefined && input.output === undefined)) return looked;
    return await solve(work, [
      ...common,
      "--opt",
      `target=${input.output?.kind === "directory" ? "output" : last}`,
      ...(await outputOption(input)),
    ]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The outcome of a build that has to succeed. */
export function expectBuilt(outcome: BuildOutcome): Extract<BuildOutcome, { status: "built" }> {
  if (outcome.status === "failed") throw new Error([...outcome.lines.slice(-20), outcome.error.trim().split("\n").at(-1)].join("\n"));
  return outcome;
}

/** The outcome of a build that has to fail. */
export function expectFailed(outcome: BuildOutcome): Extract<BuildOutcome, { status: "failed" }> {
  if (outcome.status === "built") throw new Error(["it was built", ...outcome.lines].join("\n"));
  return outcome;
}

/** The request for all steps on top of an image. */
export function requestFor({ from, steps, user }: Pick<BuildInput, "from" | "steps" | "user">): LowerRequest {
  const digest = `sha256:${"0".repeat(64)}`;
  return {
    definition: { builderVersion: "2026.11", platform: "linux/amd64", base: { kind: "base", digest }, steps: [...steps] },
    from,
    first: 1,
    last: steps.length,
    ...(user === undefined ? {} : { user }),
  };
}

/** Puts everything that the build reads on the disk; returns the arguments that name it. */
async function stage(work: string, input: BuildInput, lowered: Lowered): Promise<string[]> {
  const last = lowered.stages.at(-1)?.target ?? "";
  const look = input.look === undefined ? [] : [lookStage(last, input.look)];
  const stages = [lowered.dockerfile, ...look, `FROM scratch AS output\nCOPY --from=${last} ["/out/", "/"]\n`];
  await writeFile(join(work, "Dockerfile"), stages.join("\n"));
  const locals = await Promise.all(lowered.contexts.map(async (context) => `${context.name}=${await stageContext(work, context, input)}`));
  const secrets = Object.entries({ ...input.secrets, ...(input.ca === undefined ? {} : { [CA_SECRET]: input.ca }) });
  const secretOptions = await Promise.all(secrets.map(([name, value]) => secretOption(work, name, value)));
  const options = [
    ...Object.entries(lowered.buildArgs).map(([name, value]) => `build-arg:${name}=${value}`),
    ...lowered.contexts.map(({ name }) => `context:${name}=local:${name}`),
    ...(input.noCache === undefined ? [] : [`no-cache=${input.noCache.join(",")}`]),
  ];
  return [
    ...[`dockerfile=${work}`, ...locals].flatMap((local) => ["--local", local]),
    ...options.flatMap((option) => ["--opt", option]),
    ...secretOptions.flatMap((secret) => ["--secret", secret]),
  ];
}

/** The look is lowered like any other step, on top of the last stage. */
function lookStage(last: string, commands: readonly string[]): string {
  return lower(requestFor({ from: last, steps: [{ kind: "runCommands", commands: [...commands] }] })).dockerfile.replace(
    "AS lamina-1",
    "AS look",
  );
}

async function stageContext(work: string, context: LoweredContext, { trees = [] }: BuildInput): Promise<string> {
  if (context.kind === "node") return dirname(process.execPath);
  if (context.kind === "uv") return dirname(await uv(context.version));
  const tree = trees.find(({ digest }) => digest === context.tree);
  if (tree === undefined) throw new Error(`the test lacks the tree ${context.tree}`);
  const directory = join(work, "contexts", context.name);
  const files = join(directory, context.kind === "file" ? "f" : "t");
  await mkdir(files, { recursive: true });
  await writeTree(tree, files);
  return directory;
}

async function secretOption(work: string, name: string, value: string | Uint8Array): Promise<string> {
  await mkdir(join(work, "secrets"), { recursive: true });
  const path = join(work, "secrets", name);
  await writeFile(path, value, { mode: 0o600 });
  return `id=${name},src=${path}`;
}

async function outputOption({ output }: BuildInput): Promise<string[]> {
  switch (output?.kind) {
    case "image": {
      const { registry } = await servers();
      const name = `${registry.host}/${output.repository}`;
      return ["--output", `type=image,name=${name},push=true,push-by-digest=true,oci-mediatypes=true,compression=zstd`];
    }
    case "directory":
      return ["--output", `type=local,dest=${output.destination}`];
    default:
      return [];
  }
}

async function solve(work: string, args: readonly string[]): Promise<BuildOutcome> {
  const { binaries, buildkit, registry } = await servers();
  const metadata = join(work, "metadata.json");
  const command = [
    "--addr",
    buildkit.address,
    "build",
    "--frontend",
    "dockerfile.v0",
    "--progress",
    "rawjson",
    "--metadata-file",
    metadata,
  ];
  const result = await execa(join(binaries, "buildctl"), [...command, ...args], {
    reject: false,
    stripFinalNewline: false,
    env: { DOCKER_CONFIG: await dockerConfig(work, registry) },
  });
  const { lines, names, failedLines, error } = readProgress(result.stderr);
  if (result.exitCode !== 0)
    return { status: "failed", error, failed: failedCommand(failedLines), kept: failedSearch(failedLines), lines, names };
  // Without an output nothing is written.
  const content = existsSync(metadata) ? await readFile(metadata, "utf8") : "{}";
  return { status: "built", digest: Metadata.parse(JSON.parse(content))["containerimage.digest"], lines, names };
}

const Metadata = z.object({ "containerimage.digest": z.string().optional() });

async function dockerConfig(
  work: string,
  registry: { readonly host: string; readonly user: string; readonly password: string },
): Promise<string> {
  const directory = join(work, "docker");
  await mkdir(directory, { recursive: true });
  const auth = Buffer.from(`${registry.user}:${registry.password}`).toString("base64");
  await writeFile(join(directory, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }), { mode: 0o600 });
  return directory;
}
