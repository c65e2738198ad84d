/** Images with a config of the test's own, over the layers of the Debian base. */
import { createRegistry, encodeManifest, formatReference, isIndex, mediaTypes, parseReference } from "@lamina/registry";
import { base, servers } from "@lamina/testkit";
import { buffer } from "node:stream/consumers";
import { z } from "zod";

const Config = z.looseObject({ config: z.looseObject({}) });

/** The reference by digest of an image that is the base with this config, in the keys of the image specification. */
export async function imageWith(config: { Env?: string[]; User?: string; WorkingDir?: string; Entrypoint?: string[] }): Promise<string> {
  const { registry } = await servers();
  const credentials = { username: registry.user, password: registry.password };
  const { host, repository: name, identifier } = parseReference(await base("3.13"));
  const repository = createRegistry({ host, insecure: true, credentials }).repository(name);
  const { content } = await repository.manifest(identifier);
  if (isIndex(content)) throw new TypeError("the base is one image");
  const baseConfig = Config.parse(JSON.parse((await buffer(await repository.blob(content.config.digest))).toString()));
  const made = { ...baseConfig, config: { ...baseConfig.config, ...config } };
  const stored = await repository.putBlob({ bytes: Buffer.from(JSON.stringify(made)) });
  const manifest = encodeManifest({ ...content, config: { mediaType: mediaTypes.ociConfig, ...stored } });
  await repository.putManifest(manifest);
  return formatReference({ host, repository: name, digest: manifest.digest });
}
