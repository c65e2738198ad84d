import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeOnce } from "./cache.ts";
import { runCommand } from "./command.ts";

const WHEEL_PLATFORMS = new Map<string, string>([
  ["x64", "musllinux_1_1_x86_64"],
  ["arm64", "musllinux_1_1_aarch64"],
]);

/**
 * The path of the uv of that version, fetched into the cache through pip when it is not there. It is
 * linked against musl, statically, so that it runs in every image.
 */
export async function uvBinary(options: { readonly cache: string; readonly version: string }): Promise<string> {
  const platform = WHEEL_PLATFORMS.get(process.arch);
  if (platform === undefined) throw new Error(`There is no uv for ${process.arch}: use x64 or arm64.`);
  const path = uvPath(options);
  await makeOnce(dirname(path), async (temporary) => {
    const wheel = join(temporary, "wheel");
    await mkdir(temporary, { recursive: true });
    const install = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"];
    await runCommand("python3", [...install, "--platform", platform, "--target", wheel, `uv==${options.version}`]);
    await rename(join(wheel, "bin", "uv"), join(temporary, "uv"));
    await rm(wheel, { recursive: true });
  });
  return path;
}

/** Where that lies in the cache, or will. */
export function uvPath({ cache, version }: { readonly cache: string; readonly version: string }): string {
  return join(cache, `uv-${version}`, "uv");
}
