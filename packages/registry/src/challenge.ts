/** The WWW-Authenticate header of a registry. */

export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string | undefined };

/** The strongest challenge in a header that this client can answer; undefined when there is none. */
export function parseChallenge(header: string | null): Challenge | undefined {
  const challenges = splitChallenges(header ?? "");
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  const realm = bearer?.parameters.get("realm");
  if (realm !== undefined) return { scheme: "bearer", realm, service: bearer?.parameters.get("service") };
  return challenges.some(({ scheme }) => scheme === "basic") ? { scheme: "basic" } : undefined;
}

function splitChallenges(header: string): { scheme: string; parameters: Map<string, string> }[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w-]+)/g;
  for (const [, key, quoted, bare, scheme] of header.matchAll(token)) {
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    if (key !== undefined) challenges.at(-1)?.parameters.set(key.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? bare ?? "");
  }
  return challenges;
}
