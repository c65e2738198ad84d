import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdCompress } from "node:zlib";
import { baseRecipe } from "./base-recipe.ts";
import { cachePath, exists, makeOnce } from "./cache.ts";
import { lastLines } from "./command.ts";
import { programPath } from "./program-path.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar+zstd";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

/** The image's configuration, but for its layers and its architecture. */
const RUN_CONFIGURATION = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
  Cmd: ["python3"],
  WorkingDir: "/",
};

const OCI_ARCHITECTURES = new Map<string, string>([
  ["x64", "amd64"],
  ["arm64", "arm64"],
]);

/**
 * The cache's OCI layout of the base with that Python, an image of one layer. Making it takes about a
 * minute, and needs mmdebstrap and a Debian mirror. Only built-in modules, so that it runs before any
 * package is installed.
 */
export async function cachedBase(options: {
  readonly python: string;
  readonly cache: string;
  readonly report: (line: string) => void;
}): Promise<string> {
  const path = basePath(options);
  if (await exists(path)) return path;
  options.report(`Making the Debian base with Python ${options.python} (about a minute, once)`);
  return makeOnce(path, (temporary) => makeLayout(temporary, baseRecipe(options.python)));
}

/** Where that lies in the cache, or will. */
export function basePath({ python, cache }: { readonly python: string; readonly cache: string }): string {
  return cachePath(cache, "bases", [...baseRecipe(python), JSON.stringify(RUN_CONFIGURATION), process.arch]);
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

async function makeLayout(directory: string, recipe: readonly string[]): Promise<void> {
  const architecture = OCI_ARCHITECTURES.get(process.arch);
  if (architecture === undefined) throw new Error(`There is no base for ${process.arch}: use x64 or arm64.`);
  await mkdir(join(directory, "blobs", "sha256"), { recursive: true });
  const layer = await writeLayer(directory, recipe);
  const config = await writeJsonBlob(directory, CONFIG, {
    architecture,
    os: "linux",
    config: RUN_CONFIGURATION,
    rootfs: { type: "layers", diff_ids: [layer.diffId] },
    history: [{ created_by: `mmdebstrap ${recipe.join(" ")}` }],
  });
  const manifest = await writeJsonBlob(directory, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: [layer.descriptor],
  });
  await writeFile(join(directory, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [manifest] }));
}

async function writeLayer(directory: string, recipe: readonly string[]): Promise<{ descriptor: Descriptor; diffId: string }> {
  const file = join(directory, "layer");
  const plain = measured();
  const compressed = measured();
  const env = { ...process.env, PATH: programPath(), SOURCE_DATE_EPOCH: "0" };
  // A fixed time for all files that the bootstrap makes, so that the same packages give the same bytes.
  const bootstrap = spawn("mmdebstrap", recipe, { stdio: ["ignore", "pipe", "pipe"], env });
  await Promise.all([
    succeeds(bootstrap),
    pipeline(bootstrap.stdout, plain.stream, createZstdCompress(), compressed.stream, createWriteStream(file)),
  ]);
  const descriptor = { mediaType: LAYER, digest: compressed.digest(), size: compressed.size() };
  await rename(file, blobPath(directory, descriptor));
  return { descriptor, diffId: plain.digest() };
}

async function writeJsonBlob(directory: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const descriptor = { mediaType, digest: sha256(bytes), size: bytes.length };
  await writeFile(blobPath(directory, descriptor), bytes);
  return descriptor;
}

function succeeds(child: ReturnType<typeof spawn> & { stderr: Readable }): Promise<void> {
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = lastLines(stderr + text)));
  return new Promise((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new Error(`mmdebstrap could not be run (${cause.message}): install the Debian package mmdebstrap.`, { cause })),
    );
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`mmdebstrap failed (exit status ${code}):\n${stderr}`))));
  });
}

/** A stream that passes everything on, and knows its digest and size at the end. */
function measured(): { stream: Transform; digest: () => string; size: () => number } {
  const hash = createHash("sha256");
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, digest: () => `sha256:${hash.digest("hex")}`, size: () => size };
}

function blobPath(directory: string, descriptor: Descriptor): string {
  return join(directory, "blobs", ...descriptor.digest.split(":"));
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
