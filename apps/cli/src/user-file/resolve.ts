/** How modules of a user are found: as Node does, and with the SDK at hand where they have none of their own. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ownEntry } from "../platform/entry.ts";

let registered = false;

/**
 * From now on `import … from "lamina"` without an installation gets the SDK of this program, and a module of
 * the user's is taken as what it looks like, without a warning: also where a package.json says "commonjs", as
 * `npm init` writes it into every new one. What they print goes to stderr.
 */
export function resolveForUser(): void {
  if (registered) return;
  registered = true;
  // What users print, then or in a condition later, is not our result.
  Object.assign(console, { log: console.error, info: console.error, debug: console.error });
  registerHooks({
    resolve(specifier, context, next) {
      try {
        const resolved = next(specifier, context);
        return mayBeOther(resolved) ? { ...resolved, ...formatOf(resolved.url) } : resolved;
      } catch (error) {
        if (specifier !== "lamina") throw error;
        return { url: pathToFileURL(ownEntry("sdk")).href, shortCircuit: true };
      }
    },
  });
}

/** Where nobody has said what it is, or a package.json did without its author's doing. */
function mayBeOther({ format, url }: { readonly format?: string | null | undefined; readonly url: string }): boolean {
  return !format || (format.startsWith("commonjs") && !url.includes("/node_modules/"));
}

function formatOf(url: string): { readonly format?: string } {
  const suffix = url.startsWith("file:") ? /\.[jt]s$/.exec(url)?.[0] : undefined;
  if (suffix === undefined || !/^\s*(import|export)\b/m.test(readFileSync(fileURLToPath(url), "utf8"))) return {};
  return { format: suffix === ".ts" ? "module-typescript" : "module" };
}
