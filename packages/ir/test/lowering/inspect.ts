/** Looks at an image that was pushed, from outside. */
import { buffer } from "node:stream/consumers";
import { createZstdDecompress } from "node:zlib";
import { type ContainerConfig, createRegistry, isIndex } from "@lamina/registry";
import { servers } from "@lamina/testkit";
import { extract, type Header } from "tar-stream";

export interface Inspected {
  readonly config: ContainerConfig;
  /** The entries of the layers that were asked for, the oldest first. */
  readonly layers: readonly (readonly LayerEntry[])[];
  /** The manifest's config as it is written, history included. */
  readonly rawConfig: string;
}

export interface LayerEntry extends Pick<Header, "name" | "type" | "mode" | "uid" | "gid" | "linkname" | "mtime"> {
  readonly content: Buffer;
}

/** Reads an image, and so many of its newest layers. */
export async function inspect(repository: string, digest: string | undefined, newest: number): Promise<Inspected> {
  const { registry } = await servers();
  const images = createRegistry({
    host: registry.host,
    insecure: true,
    credentials: { username: registry.user, password: registry.password },
  }).repository(repository);
  const reference = digest ?? "";
  const resolved = await images.resolve(reference, "linux/amd64");
  const { content } = await images.manifest(reference);
  if (isIndex(content)) throw new Error(`${reference} is an index`);
  const rawConfig = (await buffer(await images.blob(content.config.digest))).toString();
  const layers: LayerEntry[][] = [];
  for (const layer of newest === 0 ? [] : resolved.layers.slice(-newest)) layers.push(await entriesOf(await images.blob(layer.digest)));
  return { config: resolved.config, layers, rawConfig };
}

async function entriesOf(blob: NodeJS.ReadableStream): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = [];
  const archive = extract();
  blob.pipe(createZstdDecompress()).pipe(archive);
  for await (const entry of archive) {
    const { name, type, mode, uid, gid, linkname, mtime } = entry.header;
    entries.push({ name, type, mode, uid, gid, linkname, mtime, content: await buffer(entry) });
  }
  return entries;
}
