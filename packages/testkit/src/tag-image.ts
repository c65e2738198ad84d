import { createRegistry, isIndex, parseReference } from "@lamina/registry";
import { servers } from "./client.ts";

/** Gives an image of the test registry, by its reference there, another name in it: `repository:tag`. Returns the registry's host. */
export async function tagImage(
  reference: string,
  { repository, tag }: { readonly repository: string; readonly tag: string },
): Promise<string> {
  const { host, user, password } = (await servers()).registry;
  const registry = createRegistry({ host, insecure: true, credentials: { username: user, password } });
  const { repository: from, identifier } = parseReference(reference);
  const { content, ...manifest } = await registry.repository(from).manifest(identifier);
  if (isIndex(content)) throw new TypeError(`${reference} is a list of images`);
  const target = registry.repository(repository);
  for (const { digest } of [content.config, ...content.layers]) await target.mountBlob(digest, from);
  await target.putManifest(manifest, { tag });
  return host;
}
