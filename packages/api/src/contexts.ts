/**
 * How a tree of local files lies in the registry: one OCI image manifest in the repository of
 * contexts, with `artifactType` {@link TREE_ARTIFACT_TYPE} and the empty config `{}`. Its first layer
 * is the canonical JSON of the tree's sorted entries, so that blob's digest is the tree's own; the
 * others are the packs that hold the tree's files, each once (and possibly files of other trees).
 */
export const TREE_ARTIFACT_TYPE = "application/vnd.lamina.tree.v1";

/** The layer with the entries: `canonicalJson(sortEntries(entries))`. */
export const TREE_ENTRIES_MEDIA_TYPE = "application/vnd.lamina.tree.entries.v1+json";

/** A layer that is a pack: a zstd-compressed tar of regular files, each named by the 64 hexadecimal digits of its SHA-256. */
export const PACK_MEDIA_TYPE = "application/vnd.lamina.pack.v1.tar+zstd";
