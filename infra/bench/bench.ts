/** What cases stand on: a platform of its own, as users run it, and BuildKit's own client on the same servers. */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServerAddresses, startServers, uvBinary } from "@lamina/servers";
import { type AnyImage, exportDockerfile } from "lamina";
import { type Buildctl, createBuildctl } from "./buildctl.ts";
import { type Lamina, startLamina } from "./lamina.ts";
import { peerPython } from "./peer-python.ts";

export interface Bench {
  readonly lamina: Lamina;
  readonly buildctl: Buildctl;
  readonly servers: ServerAddresses;
  /** A new empty directory. */
  readonly directory: () => Promise<string>;
  /** A file of `images/`, put where a user would have it. */
  userFile(name: string): Promise<string>;
  /** An image as a Dockerfile with its contexts, to be made without Lamina. */
  plain(image: AnyImage): Promise<Plain>;
  /** Python with the packages of peers. */
  readonly python: () => Promise<string>;
  /** Taken down after the case. */
  readonly owned: AsyncDisposableStack;
}

export interface Plain {
  readonly directory: string;
  /** Makes and pushes it. Returns its milliseconds. */
  build(onLine?: (line: string) => void): Promise<number>;
  /** Makes it as files in an empty directory. */
  unpack(root: string): Promise<void>;
}

export interface BenchOptions {
  /** The root of the per-user cache. */
  readonly cache: string;
  /** A file of certificate authorities for what runs in builds, where a proxy inspects HTTPS. */
  readonly caBundle: string | undefined;
}

/** Starts the servers and the platform; all goes with `owned`. */
export async function startBench({ cache, caBundle }: BenchOptions, owned: AsyncDisposableStack): Promise<Omit<Bench, "owned">> {
  const root = await mkdtemp(join(tmpdir(), "lamina-bench-"));
  owned.defer(() => rm(root, { recursive: true, force: true }));
  const servers = await startServers({ directory: join(root, "servers"), cache, report: (line) => console.error(line) });
  owned.defer(() => servers.stop());
  const lamina = owned.use(await startLamina({ home: join(root, "home"), servers }));
  const buildctl = await createBuildctl({ servers, directory: join(root, "docker"), caBundle });
  const cases = join(root, "cases");
  await mkdir(cases);
  const directory = () => mkdtemp(join(cases, "case-"));
  return {
    lamina,
    buildctl,
    servers,
    directory,
    python: () => peerPython(cache),
    async userFile(name) {
      const file = join(await directory(), name);
      await copyFile(join(import.meta.dirname, "images", name), file);
      return file;
    },
    async plain(image) {
      const place = await directory();
      const { command } = await exportDockerfile(lamina.client, image, {
        directory: place,
        uv: (version) => uvBinary({ cache, version }),
      });
      // Without the program, the frontend, the Dockerfile's place and the output, which buildctl.ts has for all.
      const args = command.slice(command.indexOf("dockerfile=.") + 1, command.indexOf("--output"));
      const plain = { directory: place, arguments: args };
      return {
        directory: place,
        build: (onLine) => buildctl.build({ ...plain, onLine }),
        unpack: (root) => buildctl.unpack(plain, root),
      };
    },
  };
}
