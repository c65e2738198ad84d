import { createRegistry, digestOf, encodeManifest, isIndex, parseReference } from "@lamina/registry";
import type { ServerAddresses } from "@lamina/servers";
import { buffer, json } from "node:stream/consumers";
import { pack } from "tar-stream";
import { z } from "zod";

const Config = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.array(z.string()) }) });

export interface Extension {
  readonly files: readonly { readonly name: string; readonly content: string | Buffer; readonly mode?: number }[];
  /** Of the image that it gives, in the same registry. */
  readonly repository: string;
  readonly tag: string;
}

/** Puts a layer of files onto an image of a registry. @returns the new image's name, with its tag */
export async function extendBase(
  base: string,
  { host, user, password }: ServerAddresses["registry"],
  { files, repository, tag }: Extension,
): Promise<string> {
  const { repository: from, identifier } = parseReference(base);
  const registry = createRegistry({ host, insecure: true, credentials: { username: user, password } });
  const { content: old } = await registry.repository(from).manifest(identifier);
  if (isIndex(old)) throw new TypeError(`${base} is a list of images`);
  const config = Config.parse(await json(await registry.repository(from).blob(old.config.digest)));

  const tar = pack();
  for (const { content, ...header } of files) tar.entry(header, content);
  tar.finalize();
  const layer = await buffer(tar);
  const target = registry.repository(repository);
  if (repository !== from) for (const { digest } of old.layers) await target.mountBlob(digest, from);
  const diffIds = [...config.rootfs.diff_ids, digestOf(layer)];
  const extended = Buffer.from(JSON.stringify({ ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } }));
  const manifest = encodeManifest({
    ...old,
    config: { ...old.config, ...(await target.putBlob({ bytes: extended })) },
    layers: [...old.layers, { mediaType: "application/vnd.oci.image.layer.v1.tar", ...(await target.putBlob({ bytes: layer })) }],
  });
  await target.putManifest(manifest, { tag });
  return `${host}/${repository}:${tag}`;
}
