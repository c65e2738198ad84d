/** A base in a private registry, with a layer that is in no cache. */
import { createRegistry, digestOf, encodeManifest, isIndex, parseReference } from "@lamina/registry";
import type { PrivateRegistry } from "@lamina/registry/test-support";
import { buffer, json } from "node:stream/consumers";
import { pack } from "tar-stream";
import { z } from "zod";
import { tinyBase } from "./tiny-base.ts";

const Config = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.array(z.string()) }) });

/** Puts the tiny base with a file `/private`, which has that content, into the registry. @returns its name, with a tag */
export async function privateBase({ host, credentials }: PrivateRegistry, content: string): Promise<string> {
  const reference = parseReference(await tinyBase({ host, user: credentials.username, password: credentials.password }));
  const repository = createRegistry({ host, insecure: true, credentials }).repository(reference.repository);
  const { content: tiny } = await repository.manifest(reference.identifier);
  if (isIndex(tiny)) throw new TypeError("the tiny base is one image");
  const config = Config.parse(await json(await repository.blob(tiny.config.digest)));

  const tar = pack();
  tar.entry({ name: "private" }, content);
  tar.finalize();
  const layer = await buffer(tar);
  const diffIds = [...config.rootfs.diff_ids, digestOf(layer)];
  const extended = Buffer.from(JSON.stringify({ ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } }));
  const manifest = encodeManifest({
    ...tiny,
    config: { ...tiny.config, ...(await repository.putBlob({ bytes: extended })) },
    layers: [...tiny.layers, { mediaType: "application/vnd.oci.image.layer.v1.tar", ...(await repository.putBlob({ bytes: layer })) }],
  });
  await repository.putManifest(manifest, { tag: "v1" });
  return `${host}/${reference.repository}:v1`;
}
