/** Images as plain runc runs them: their layers as directories on this machine, and what their config says. */
import { createHash, hash } from "node:crypto";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LaminaError } from "@lamina/api";
import { z } from "zod";
import type { Ctr } from "./ctr.ts";
import type { Engine } from "./engine.ts";

export interface ExecutableImage {
  readonly reference: string;
  /** The upper ones first. */
  readonly layers: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
}

export interface ExecutableImageOptions {
  readonly engine: Pick<Engine, "pull">;
  readonly ctr: Ctr;
  /** What the names of the snapshots on top of images begin with. */
  readonly prefix: string;
}

const Manifest = z.object({ config: z.object({ digest: z.string() }) });
const Config = z.object({
  config: z
    .object({
      Env: z.array(z.string()).nullish(),
      User: z.string().nullish(),
      WorkingDir: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).min(1) }),
});

/** Fetches an image and finds its layers, whose directories a snapshot on top of them keeps from being collected. */
export async function executableImage(
  reference: string,
  { engine, ctr, prefix }: ExecutableImageOptions,
  signal: AbortSignal,
): Promise<ExecutableImage> {
  await engine.pull(reference, signal);
  const content = async (digest: string): Promise<unknown> => JSON.parse(await answer(ctr, ["content", "get", digest]));
  const { config } = Manifest.parse(await content(reference.slice(reference.indexOf("@") + 1)));
  const { config: settings, rootfs } = Config.parse(await content(config.digest));
  const anchor = `${prefix}${hash("sha256", reference).slice(0, 24)}`;
  const chain = chainId(rootfs.diff_ids);
  // Not a view, which would be there for a moment without the label that keeps it from being collected.
  const { complaint } = await ctr(["snapshots", "prepare", anchor, chain]);
  if (complaint !== undefined && !complaint.includes("already exists")) throw unusable(reference, complaint);
  const layers = layersOf(await answer(ctr, ["snapshots", "mounts", "/", anchor]));
  if (layers.length === 0) throw unusable(reference, "its snapshot is not made of directories, as overlayfs needs them");
  return {
    reference,
    layers,
    environment: settings?.Env ?? [],
    workingDirectory: settings?.WorkingDir || "/",
    user: await userOf(settings?.User ?? "", layers, reference),
  };
}

/** Takes away the snapshots that an earlier process of the same prefix has left. */
export async function removeAnchors(ctr: Ctr, prefix: string): Promise<void> {
  const list = await answer(ctr, ["snapshots", "list"]);
  const snapshots = list.split("\n").flatMap((line) => line.match(/^\S+/) ?? []);
  for (const snapshot of snapshots) if (snapshot.startsWith(prefix)) await ctr(["snapshots", "remove", snapshot]);
}

/** The name that containerd gives the snapshot of these layers. */
function chainId(diffIds: readonly string[]): string {
  return diffIds.reduce((chain, diff) => `sha256:${createHash("sha256").update(`${chain} ${diff}`).digest("hex")}`);
}

/** Out of the command that would mount the snapshot: an overlay on them. */
function layersOf(mount: string): string[] {
  return /[ ,]lowerdir=([^\s,]+)/.exec(mount)?.[1]?.split(":") ?? [];
}

/** `user[:group]`, each by name or number; the names are those of the image's own files. */
async function userOf(text: string, layers: readonly string[], reference: string): Promise<ExecutableImage["user"]> {
  const [user = "", group] = text.split(":");
  if (user === "" || (/^0+$/.test(user) && group === undefined)) return { uid: 0, gid: 0, additionalGids: [] };
  const entries = async (file: string) => (await fileOf(layers, file)).split("\n").map((line) => line.split(":"));
  const isNumber = /^\d+$/.test(user);
  const known = (await entries("etc/passwd")).find(([name, , uid]) => (isNumber ? uid === user : name === user));
  if (known === undefined && !isNumber) throw unusable(reference, `its user ${user} is not in its /etc/passwd`);
  const groups = await entries("etc/group");
  const gidOf = (name: string): number => {
    const gid = /^\d+$/.test(name) ? name : groups.find((entry) => entry[0] === name)?.[2];
    if (gid === undefined) throw unusable(reference, `its group ${name} is not in its /etc/group`);
    return Number(gid);
  };
  return {
    uid: Number(isNumber ? user : known?.[2]),
    gid: group === undefined ? Number(known?.[3] ?? 0) : gidOf(group),
    additionalGids:
      group === undefined
        ? groups
            .filter(([, , , members = ""]) => known?.[0] !== undefined && members.split(",").includes(known[0]))
            .map(([, , gid]) => Number(gid))
        : [],
  };
}

/** That of the uppermost layer that says something of it. Never through a link, which would lead out of the image. */
async function fileOf(layers: readonly string[], file: string): Promise<string> {
  for (const layer of layers) {
    const path = join(layer, file);
    const directory = await lstat(join(path, "..")).catch(() => undefined);
    if (directory?.isDirectory() !== true) continue;
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined) return found.isFile() ? readFile(path, "utf8") : "";
  }
  return "";
}

async function answer(ctr: Ctr, args: readonly string[]): Promise<string> {
  const { stdout, exitCode, complaint } = await ctr(args);
  if (exitCode === 0) return stdout;
  throw new LaminaError({ code: "INTERNAL", message: `containerd cannot say what is in an image: ${complaint ?? args.join(" ")}` });
}

function unusable(reference: string, reason: string): LaminaError {
  return new LaminaError({ code: "FUNCTION_BROKEN", message: `The image ${reference} cannot be run: ${reason}.` });
}
