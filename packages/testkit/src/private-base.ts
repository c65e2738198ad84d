/** A base in a private registry, with a layer that is in no cache. */
import { parseReference } from "@lamina/registry";
import type { PrivateRegistry } from "@lamina/registry/test-support";
import { extendBase } from "./extend-base.ts";
import { tinyBase } from "./tiny-base.ts";

/** Puts the tiny base with a file `/private`, which has that content, into the registry. @returns its name, with a tag */
export async function privateBase({ host, credentials }: PrivateRegistry, content: string): Promise<string> {
  const registry = { host, user: credentials.username, password: credentials.password };
  const base = await tinyBase(registry);
  const { repository } = parseReference(base);
  return extendBase(base, registry, { files: [{ name: "private", content }], repository, tag: "v1" });
}
