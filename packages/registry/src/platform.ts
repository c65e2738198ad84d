/** Which entry of an image index is for a platform. */

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
}

/** Reads `os/architecture[/variant]`; undefined when it is not that. */
export function parsePlatform(text: string): Platform | undefined {
  const [os, architecture, variant, ...rest] = text.split("/");
  if (!os || !architecture || variant === "" || rest.length > 0) return undefined;
  return { os, architecture, variant };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** The candidate that runs best on the wanted platform: its own variant, else the nearest older one. */
export function bestMatch<T extends { readonly platform: Platform }>(candidates: readonly T[], wanted: Platform): T | undefined {
  const level = variantLevel(wanted);
  return candidates
    .filter(({ platform }) => platform.os === wanted.os && platform.architecture === wanted.architecture && variantLevel(platform) <= level)
    .reduce<T | undefined>((best, next) => (best && variantLevel(best.platform) >= variantLevel(next.platform) ? best : next), undefined);
}

/** Variants are numbered upwards, and each runs what was made for those below it. An absent one means the common one. */
function variantLevel({ architecture, variant }: Platform): number {
  const commonLevels: Record<string, number> = { amd64: 1, arm64: 8, arm: 7 };
  if (!variant) return commonLevels[architecture] ?? 0;
  const level = Number(/^v(\d+)$/.exec(variant)?.[1] ?? Number.NaN);
  return Number.isNaN(level) ? Number.POSITIVE_INFINITY : level;
}
