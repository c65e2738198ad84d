/** The peer: plain `buildctl` on the same BuildKit, pushing to the same registry as Lamina does. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerAddresses } from "@lamina/servers";
import { timed } from "./timed.ts";

export interface Buildctl {
  /** Builds the Dockerfile of a directory and pushes the image. Returns its milliseconds. */
  build(build: PlainBuild): Promise<number>;
  /** Builds it, and has the image's files in a directory. */
  unpack(build: PlainBuild, root: string): Promise<void>;
  version(): Promise<string>;
}

export interface PlainBuild {
  /** Holds the Dockerfile; local contexts are relative to it. */
  readonly directory: string;
  readonly arguments: readonly string[];
  /** Hears each line of BuildKit's progress, as JSON. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface BuildctlOptions {
  readonly servers: ServerAddresses;
  /** For its credentials. */
  readonly directory: string;
  readonly caBundle: string | undefined;
}

export async function createBuildctl({ servers, directory, caBundle }: BuildctlOptions): Promise<Buildctl> {
  const { host, user, password } = servers.registry;
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  await mkdir(directory, { mode: 0o700 });
  await writeFile(join(directory, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
  const program = join(servers.binaries, "buildctl");
  const environment = { DOCKER_CONFIG: directory, BUILDKIT_HOST: servers.buildkit.address };
  const push = `type=image,name=${host}/bench/peer,push=true,push-by-digest=true,oci-mediatypes=true,compression=zstd`;
  const certificates = caBundle === undefined ? [] : ["--secret", `id=lamina-ca,src=${caBundle}`];
  const built = async ({ directory: cwd, arguments: args, onLine }: PlainBuild, output: string): Promise<number> => {
    const command = [program, "build", "--progress=rawjson", "--frontend=dockerfile.v0", "--local=dockerfile=.", `--output=${output}`];
    const { milliseconds } = await timed([...command, ...certificates, ...args], { cwd, environment, onLine });
    return milliseconds;
  };
  return {
    build: (build) => built(build, push),
    unpack: async (build, root) => void (await built(build, `type=local,dest=${root}`)),
    async version() {
      const { stdout } = await timed([join(servers.binaries, "buildkitd"), "--version"], {});
      return stdout.split(" ")[2] ?? "";
    },
  };
}
