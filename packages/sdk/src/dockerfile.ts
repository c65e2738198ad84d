/** An image as a Dockerfile: its text, or a directory from which BuildKit makes the image without Lamina. */
import { badInput } from "@lamina/api";
import { type BuilderVersion, builderVersion, type Lowered, lower } from "@lamina/ir";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "./client/client.ts";
import { imageState } from "./image-state.ts";
import { removeTrees, stageTree } from "./local/stage.ts";
import { type AnyImage, type Planned, planned, type PlanOptions } from "./plan.ts";
import { aboutChange } from "./snapshot.ts";

export interface ExportOptions extends PlanOptions {
  /** Where to write; it has to be empty, missing, or an earlier export. */
  readonly directory: string;
  /** The path of the `uv` binary of a version; asked only when the image installs Python packages. */
  readonly uv: (version: string) => Promise<string>;
}

export interface DockerfileExport {
  readonly dockerfile: string;
  /** What `build.sh` runs in the directory: buildctl and its arguments. Values of secrets are taken from its environment. */
  readonly command: readonly string[];
}

/** The text of the Dockerfile that makes an image. */
export async function dockerfileOf(client: Client, image: AnyImage, options: PlanOptions = {}): Promise<string> {
  return lowered(await planned(client, imageState(image), { ...options, forExport: true })).dockerfile;
}

/** Writes `Dockerfile`, `contexts/` and `build.sh`. @throws INVALID_INPUT when the directory holds something else */
export async function exportDockerfile(client: Client, image: AnyImage, options: ExportOptions): Promise<DockerfileExport> {
  const { directory, uv } = options;
  await refuseOther(directory);
  const plan = await planned(client, imageState(image), { ...options, forExport: true });
  const { dockerfile, contexts, ...rest } = lowered(plan);
  const contextsDirectory = join(directory, "contexts");
  await removeTrees(contextsDirectory);
  await mkdir(contextsDirectory, { recursive: true });
  for (const context of contexts) await writeContext(context, { directory: join(contextsDirectory, context.name), plan, uv });
  const command = buildCommand({ dockerfile, contexts, ...rest }, plan);
  await writeFile(join(directory, "Dockerfile"), dockerfile);
  await writeFile(join(directory, "build.sh"), script(command), { mode: 0o755 });
  return { dockerfile, command };
}

function lowered({ plan }: Planned): Lowered {
  const { definition, base } = plan;
  return lower({
    definition,
    from: base.reference,
    first: 1,
    last: definition.steps.length,
    ...(base.user !== undefined && { user: base.user }),
  });
}

async function refuseOther(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw badInput("invalid-usage", `"${directory}" cannot be written to: ${error.message}`, { cause: error });
  });
  if (names.length === 0 || (names.includes("Dockerfile") && names.includes("build.sh"))) return;
  throw badInput("invalid-usage", `"${directory}" holds other files; name an empty directory`);
}

interface ContextPlace {
  readonly directory: string;
  readonly plan: Planned;
  readonly uv: ExportOptions["uv"];
}

async function writeContext(context: Lowered["contexts"][number], { directory, plan, uv }: ContextPlace): Promise<void> {
  if (context.kind === "uv") {
    await mkdir(directory, { recursive: true });
    await copyFile(await uv(context.version), join(directory, "uv"));
    return;
  }
  if (context.kind === "node") {
    if (process.versions.node.split(".")[0] !== context.version) {
      const message = `The image needs Node ${context.version} for its runFunction, and this is ${process.versions.node}: run the export under Node ${context.version}.`;
      throw badInput("invalid-usage", message);
    }
    await mkdir(directory, { recursive: true });
    await copyFile(process.execPath, join(directory, "node"));
    return;
  }
  const tree = plan.snapshot.trees.get(context.tree);
  if (tree === undefined) throw new RangeError(`the image has no tree ${context.tree}`);
  await stageTree(tree, join(directory, context.kind === "file" ? "f" : "t")).catch((error: unknown) => {
    throw aboutChange(error, [tree]);
  });
}

/** Relative to the directory of the export. */
function buildCommand({ stages, contexts, secrets, buildArgs }: Lowered, { plan }: Planned): string[] {
  const { platform, builderVersion: name } = plan.definition;
  const target = stages.at(-1)?.target;
  return [
    "buildctl",
    "build",
    "--frontend",
    "dockerfile.v0",
    "--local",
    "dockerfile=.",
    ...(target === undefined ? [] : ["--opt", `target=${target}`]),
    "--opt",
    `platform=${platform}`,
    ...contexts.flatMap((context) => [
      "--local",
      `${context.name}=contexts/${context.name}`,
      "--opt",
      `context:${context.name}=local:${context.name}`,
    ]),
    ...Object.entries(buildArgs).flatMap(([argument, value]) => ["--opt", `build-arg:${argument}=${value}`]),
    ...secrets.flatMap((variable) => ["--secret", `id=${variable},env=${variable}`]),
    "--output",
    `type=oci,dest=image.tar,oci-mediatypes=true,compression=${compressionOf(builderVersion(name))}`,
  ];
}

function compressionOf(version: BuilderVersion | undefined): string {
  return version?.compression ?? "zstd";
}

function script(command: readonly string[]): string {
  const words = command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return `#!/bin/sh
# Makes this image with BuildKit alone, as image.tar. BUILDKIT_HOST names the daemon, DOCKER_CONFIG the directory with the
# credentials of the base's registry; secrets are read from the variables of their names; further arguments go to buildctl.
cd "$(dirname "$0")" && exec ${words.join(" ")} "$@"
`;
}
