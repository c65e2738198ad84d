/** A runner that serves functions out of one tree of code. */
import { JSON_VALUE, type ServedFunction } from "@lamina/api";
import type { Digest } from "@lamina/ir";
import { parseReference } from "@lamina/registry";
import { base } from "@lamina/testkit";
import { storeCode, type StoredCode } from "./code.ts";
import { type World, world, type WorldOptions } from "./world.ts";

export interface FunctionWorld extends World {
  readonly code: StoredCode;
  /** A function of the module `main`. */
  python(name: string, more?: Partial<ServedFunction>): ServedFunction;
  /** A function that `main.mjs` registers. */
  typescript(name: string, more?: Partial<ServedFunction>): ServedFunction;
}

export async function functionWorld(files: Readonly<Record<string, string>>, options: WorldOptions = {}): Promise<FunctionWorld> {
  const [image, code, here] = await Promise.all([baseLocation(), storeCode(files), world(options)]);
  return Object.assign(here, {
    code,
    python: (name: string, more: Partial<ServedFunction> = {}) =>
      here.serve({ image, ...code, entry: { language: "python", module: "main", name }, name, ...more }),
    typescript: (name: string, more: Partial<ServedFunction> = {}) =>
      here.serve({ image, ...code, entry: { language: "typescript", file: "main.mjs", name }, name, ...more }),
  });
}

export async function baseLocation(): Promise<ServedFunction["image"]> {
  return locationOf(await base("3.13"));
}

export function locationOf(reference: string): ServedFunction["image"] {
  const { repository, digest = "" } = parseReference(reference);
  return { repository, digest: asDigest(digest) };
}

function asDigest(text: string): Digest {
  return `sha256:${text.slice("sha256:".length)}`;
}

/** What the end of a call that gave this matches. */
export function done(value: unknown): object {
  return { state: "done", result: { type: JSON_VALUE, data: JSON.stringify(value) } };
}

export function failed(code: string, more: object = {}): object {
  return { state: "failed", error: { code, ...more } };
}
