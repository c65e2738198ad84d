/** Devices by their names, as the Container Device Interface describes them: what a container gets to use one. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { LaminaError } from "@lamina/api";
import { parse } from "yaml";
import { z } from "zod";

/** What is added to the config.json of a container. */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly devices: readonly Device[];
  readonly mounts: readonly object[];
  readonly hooks: Readonly<Record<string, readonly object[]>>;
}

interface Device {
  readonly path: string;
  readonly hostPath: string;
  readonly type: string;
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

export const NO_EDITS: CdiEdits = { env: [], devices: [], mounts: [], hooks: {} };

/** Where the tools of drivers write specifications to. */
export const CDI_DIRECTORIES = ["/etc/cdi", "/var/run/cdi"];

const HOOKS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const;
const Hook = z.object({
  hookName: z.enum(HOOKS),
  path: z.string(),
  args: z.array(z.string()).optional(),
  env: z.array(z.string()).optional(),
  timeout: z.int().optional(),
});
const DeviceNode = z.object({
  path: z.string(),
  hostPath: z.string().optional(),
  fileMode: z.int().optional(),
  uid: z.int().optional(),
  gid: z.int().optional(),
});
const Edits = z.object({
  env: z.array(z.string()).default([]),
  deviceNodes: z.array(DeviceNode).default([]),
  mounts: z
    .array(
      z.object({
        hostPath: z.string(),
        containerPath: z.string(),
        type: z.string().default("bind"),
        options: z.array(z.string()).default(["rbind", "ro"]),
      }),
    )
    .default([]),
  hooks: z.array(Hook).default([]),
});
type Edits = z.infer<typeof Edits>;
const Specification = z.object({
  kind: z.string(),
  containerEdits: Edits.optional(),
  devices: z.array(z.object({ name: z.string(), containerEdits: Edits.optional() })),
});

/** @param names full ones, such as `nvidia.com/gpu=0` @throws {LaminaError} FUNCTION_BROKEN for one that is described nowhere */
export async function cdiEdits(names: readonly string[], directories: readonly string[]): Promise<CdiEdits> {
  if (names.length === 0) return NO_EDITS;
  const specifications = await readSpecifications(directories);
  const applied = new Set<Edits>();
  for (const name of names) {
    const [kind, device] = name.split("=");
    const specification = specifications.find((one) => one.kind === kind && one.devices.some((known) => known.name === device));
    if (specification === undefined) {
      const message = `The device ${name} is described in no specification in ${directories.join(" or ")}. For NVIDIA's: nvidia-ctk cdi generate.`;
      throw new LaminaError({ code: "FUNCTION_BROKEN", message });
    }
    if (specification.containerEdits !== undefined) applied.add(specification.containerEdits);
    const edits = specification.devices.find((known) => known.name === device)?.containerEdits;
    if (edits !== undefined) applied.add(edits);
  }
  const all = [...applied];
  return {
    env: all.flatMap(({ env }) => env),
    devices: await Promise.all(all.flatMap(({ deviceNodes }) => deviceNodes.map(deviceOf))),
    mounts: all.flatMap(({ mounts }) =>
      mounts.map(({ hostPath, containerPath, type, options }) => ({ source: hostPath, destination: containerPath, type, options })),
    ),
    hooks: hooksOf(all.flatMap(({ hooks }) => hooks)),
  };
}

async function readSpecifications(directories: readonly string[]) {
  const found: z.infer<typeof Specification>[] = [];
  for (const directory of directories) {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    for (const name of names.filter((each) => /\.(json|yaml)$/.test(each))) {
      found.push(Specification.parse(parse(await readFile(join(directory, name), "utf8"))));
    }
  }
  return found;
}

async function deviceOf({ path, hostPath = path, fileMode, uid, gid }: z.infer<typeof DeviceNode>): Promise<Device> {
  const { rdev, mode } = await stat(hostPath);
  const isBlock = (mode & 0o170_000) === 0o060_000;
  return {
    path,
    hostPath,
    type: isBlock ? "b" : "c",
    major: (rdev >> 8) & 0xfff,
    minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff_00),
    fileMode: fileMode ?? mode & 0o777,
    uid: uid ?? 0,
    gid: gid ?? 0,
  };
}

function hooksOf(hooks: readonly z.infer<typeof Hook>[]): Record<string, object[]> {
  const byName: Record<string, object[]> = {};
  for (const { hookName, ...hook } of hooks) (byName[hookName] ??= []).push(hook);
  return byName;
}
