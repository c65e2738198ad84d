/** The code of functions: each tree once, as a directory that containers see and cannot change. */
import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type ImageLocation, LaminaError } from "@lamina/api";
import type { Digest } from "@lamina/ir";
import type { Registry } from "@lamina/registry";
import { changeTree, contextError, indexOf, PackError, readTree, removeTree, TreeError } from "@lamina/service";
import { execa } from "execa";

export interface Code {
  /** The directory of a tree. @throws {LaminaError} CONTEXT_MISSING, CONTEXT_CORRUPT, REGISTRY_UNAVAILABLE */
  stage(code: Digest, location: ImageLocation, signal: AbortSignal): Promise<string>;
  /** Keeps a tree, whoever else wants it, until that is disposed of. */
  hold(code: Digest): Disposable;
  /** Removes all but these, and those that are held. */
  keepOnly(codes: ReadonlySet<Digest>): Promise<void>;
}

export function codeIn(directory: string, registry: Registry): Code {
  const staging = new Map<Digest, Promise<string>>();
  const held = new Map<symbol, Digest>();
  const folder = (code: Digest) => join(directory, code.replace("sha256:", ""));

  async function fetch(code: Digest, location: ImageLocation, signal: AbortSignal): Promise<string> {
    const isThere = await access(folder(code)).then(
      () => true,
      () => false,
    );
    if (isThere) return folder(code);
    const tree = await readTree(code, { repository: registry.repository(location.repository), location, signal });
    const made = join(directory, `new-${randomUUID()}`);
    await mkdir(made, { recursive: true, mode: 0o755 });
    try {
      await changeTree(made, { before: new Map(), after: indexOf(tree.entries), tree, signal });
      // Whoever the image's user is reads it.
      await execa("chmod", ["-R", "a+rX", "--", made]);
      await rename(made, folder(code));
    } catch (error) {
      await removeTree(made);
      if (error instanceof PackError || error instanceof TreeError) {
        throw new LaminaError(
          { code: "CONTEXT_CORRUPT", message: `The code of the function cannot be used: ${error.message}` },
          { cause: error },
        );
      }
      throw contextError(error, code, signal);
    }
    return folder(code);
  }

  return {
    stage(code, location, signal) {
      const there = staging.get(code) ?? fetch(code, location, signal);
      staging.set(code, there);
      there.catch(() => staging.delete(code));
      return there;
    },
    hold(code) {
      const key = Symbol();
      held.set(key, code);
      return { [Symbol.dispose]: () => void held.delete(key) };
    },
    async keepOnly(codes) {
      await mkdir(directory, { recursive: true, mode: 0o711 });
      const wanted = new Set([...codes, ...held.values()]);
      const kept = new Set([...wanted].map(folder));
      for (const code of staging.keys()) if (!wanted.has(code)) staging.delete(code);
      for (const name of await readdir(directory)) {
        if (!name.startsWith("new-") && !kept.has(join(directory, name))) await removeTree(join(directory, name));
      }
    },
  };
}
