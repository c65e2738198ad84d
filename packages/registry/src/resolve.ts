/** From a tag or digest to the image of one platform. */
import { RegistryError } from "./errors.ts";
import { isConfig, isIndex, parseConfig, type Descriptor, type ImageConfig, type ImageManifest, type ReadManifest } from "./manifest.ts";
import { bestMatch, formatPlatform, parsePlatform, type Platform } from "./platform.ts";
import type { ContainerConfig, ResolvedImage } from "./types.ts";

export interface ResolveSource {
  /** For messages: `host/repository`. */
  readonly name: string;
  manifest(reference: string): Promise<ReadManifest>;
  /** The verified bytes of a small blob. */
  smallBlob(descriptor: Descriptor): Promise<Uint8Array>;
}

/** An index may name an index, but not without end. */
const depthLimit = 3;

export async function resolveImage(source: ResolveSource, reference: string, platform: string): Promise<ResolvedImage> {
  const wanted = parsePlatform(platform);
  if (wanted === undefined) throw new RegistryError("NO_SUCH_PLATFORM", `"${platform}" is not a platform such as "linux/amd64"`);
  const label = `${source.name} ${reference}`;
  const { content, ...encoded } = await platformManifest(source, { reference, wanted, label });
  if (!isConfig(content.config)) {
    throw new RegistryError("UNSUPPORTED", `${label} is not an image: its config is a "${content.config.mediaType}"`);
  }
  const config = parseConfig(await source.smallBlob(content.config), label);
  if (bestMatch([{ platform: config }], wanted) === undefined) throw noSuchPlatform(label, wanted, [config]);
  return {
    digest: encoded.digest,
    mediaType: encoded.mediaType,
    size: encoded.size,
    config: containerConfig(config),
    history: (config.history ?? []).map(({ created_by: step }) => step ?? ""),
    layers: content.layers,
    annotations: content.annotations ?? {},
  };
}

async function platformManifest(
  source: ResolveSource,
  search: { reference: string; wanted: Platform; label: string; depth?: number },
): Promise<ReadManifest & { readonly content: ImageManifest }> {
  const { reference, wanted, label, depth = 0 } = search;
  const manifest = await source.manifest(reference);
  const { content } = manifest;
  if (!isIndex(content)) return { ...manifest, content };
  if (depth === depthLimit) throw new RegistryError("CORRUPT", `${label} is an index within ${depthLimit} others`);
  const candidates = content.manifests.flatMap(({ digest, platform }) => (platform ? [{ digest, platform }] : []));
  const match = bestMatch(candidates, wanted);
  if (match === undefined)
    throw noSuchPlatform(
      label,
      wanted,
      candidates.map(({ platform }) => platform),
    );
  return platformManifest(source, { reference: match.digest, wanted, label, depth: depth + 1 });
}

function noSuchPlatform(label: string, wanted: Platform, present: readonly Platform[]): RegistryError {
  // Attestations hide in an index as entries for the platform unknown/unknown.
  const names = [...new Set(present.filter(({ os }) => os !== "unknown").map(formatPlatform))];
  const known = names.length === 0 ? "it names no platform" : `it has ${names.join(", ")}`;
  return new RegistryError("NO_SUCH_PLATFORM", `${label} is not there for ${formatPlatform(wanted)}; ${known}`);
}

function containerConfig({ config }: ImageConfig): ContainerConfig {
  return {
    user: config?.User ?? "",
    env: Object.fromEntries((config?.Env ?? []).map(splitVariable)),
    workdir: config?.WorkingDir || "/",
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    labels: config?.Labels ?? {},
  };
}

function splitVariable(assignment: string): [string, string] {
  const equals = assignment.indexOf("=");
  return equals === -1 ? [assignment, ""] : [assignment.slice(0, equals), assignment.slice(equals + 1)];
}
