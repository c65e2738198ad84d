/** Layers of a few members of the Debian base, made once and kept in the cache. */
import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import { basePath, cachePath, makeOnce } from "@lamina/servers";
import { extract, pack } from "tar-stream";
import { z } from "zod";
import { base } from "./client.ts";
import { readTestConfig } from "./config.ts";

/** That of the default builder version. */
const PYTHON = "3.13";

/** A tar of the members of the base whose names one of the patterns matches. */
export async function tinyLayer(kept: readonly RegExp[]): Promise<Buffer> {
  const { cache } = readTestConfig();
  const layout = basePath({ python: PYTHON, cache });
  const path = cachePath(cache, "tiny", [layout, ...kept.map(({ source }) => source)]);
  await makeOnce(path, async (temporary) => {
    // It is made once for a whole run, whoever asks first.
    await base(PYTHON);
    await writeFile(temporary, await membersOf(layout, kept));
  });
  return readFile(path);
}

const Index = z.object({ manifests: z.tuple([z.object({ digest: z.string() })]) });
const Manifest = z.object({ layers: z.tuple([z.object({ digest: z.string() })]) });

async function membersOf(layout: string, wanted: readonly RegExp[]): Promise<Buffer> {
  const blob = (digest: string) => join(layout, "blobs", ...digest.split(":"));
  const [{ digest }] = Index.parse(JSON.parse(await readFile(join(layout, "index.json"), "utf8"))).manifests;
  const [layer] = Manifest.parse(JSON.parse(await readFile(blob(digest), "utf8"))).layers;
  const all = extract();
  const kept = pack();
  const sorting = async (): Promise<void> => {
    for await (const entry of all) {
      const { header } = entry;
      const name = header.name.replace(/^\.?\//, "");
      if (!wanted.some((pattern) => pattern.test(name))) entry.resume();
      else kept.entry(header, await buffer(entry));
    }
    kept.finalize();
  };
  const read = pipeline(createReadStream(blob(layer.digest)), createZstdDecompress(), all);
  const [tar] = await Promise.all([buffer(kept), read, sorting()]);
  return tar;
}
