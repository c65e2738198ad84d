/** Trees of code in the registry, as clients send them. */
import { hash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { zstdCompressSync } from "node:zlib";
import { type ImageLocation, PACK_MEDIA_TYPE, TREE_ARTIFACT_TYPE, TREE_ENTRIES_MEDIA_TYPE } from "@lamina/api";
import { canonicalJson, type Digest, sortEntries, treeDigest, type TreeEntry } from "@lamina/ir";
import { createRegistry, encodeManifest, mediaTypes } from "@lamina/registry";
import { freshNamespace, servers } from "@lamina/testkit";
import { pack } from "tar-stream";

export interface StoredCode {
  readonly code: Digest;
  readonly codeLocation: ImageLocation;
}

/** @param files contents by their paths */
export async function storeCode(files: Readonly<Record<string, string>>): Promise<StoredCode> {
  const { registry } = await servers();
  const credentials = { username: registry.user, password: registry.password };
  const contexts = createRegistry({ host: registry.host, insecure: true, credentials }).repository(`${freshNamespace()}/contexts`);
  const tar = pack();
  const entries: TreeEntry[] = [];
  for (const [path, content] of Object.entries(files)) {
    const digest = hash("sha256", content);
    tar.entry({ name: digest }, content);
    // As a client with a strict umask has them.
    entries.push({ kind: "file", path, mode: 0o600, size: Buffer.byteLength(content), digest: `sha256:${digest}` });
  }
  tar.finalize();
  const stored = await contexts.putBlob({ bytes: zstdCompressSync(await buffer(tar)) });
  const manifest = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: TREE_ARTIFACT_TYPE,
    config: { mediaType: mediaTypes.ociEmpty, ...(await contexts.putBlob({ bytes: Buffer.from("{}") })) },
    layers: [
      { mediaType: TREE_ENTRIES_MEDIA_TYPE, ...(await contexts.putBlob({ bytes: Buffer.from(canonicalJson(sortEntries(entries))) })) },
      { mediaType: PACK_MEDIA_TYPE, ...stored },
    ],
  });
  await contexts.putManifest(manifest);
  const digest: Digest = `sha256:${manifest.digest.slice("sha256:".length)}`;
  return { code: treeDigest(entries), codeLocation: { repository: contexts.name, digest } };
}
