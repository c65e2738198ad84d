/** Where the programs that this one starts are: beside it in the bundle, or as source. */
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { LaminaError } from "lamina";

const BUNDLED = import.meta.url.endsWith(".mjs");
/** The checkout, or the installed package, which is laid out as the checkout; a bundle lies in one folder. */
const ROOT = path.resolve(import.meta.dirname, BUNDLED ? "../../.." : "../../../..");

const APPS = ["control-plane", "builder", "runner"] as const;
type AppName = (typeof APPS)[number];

/** The file that starts an app of ours: its bundle where this program is one, else its source. */
export function appEntry(app: AppName, from: "own kind" | "source" = "own kind"): string {
  const file = BUNDLED && from === "own kind" ? "dist/main.mjs" : "src/main.ts";
  const entry = path.join(ROOT, "apps", app, file);
  if (!existsSync(entry))
    throw new LaminaError({ code: "INTERNAL", message: `${entry} is not there. In a checkout, \`npm start\` builds it.` });
  return entry;
}

/** Tells whether the bundles of our apps can have changed, without reading them. */
export function stampOfApps(): string | undefined {
  if (!BUNDLED) return undefined;
  const stats = APPS.map((app) => statSync(appEntry(app)));
  return stats.map(({ size, mtimeMs }) => `${size}@${mtimeMs}`).join(" ");
}

/** Names the release of our apps that would be started now; undefined where they run from source. */
export function releaseOfApps(): string | undefined {
  if (!BUNDLED) return undefined;
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (const app of APPS) {
    const file = openSync(appEntry(app), "r");
    try {
      for (let read = 1; read > 0;) {
        read = readSync(file, chunk);
        hash.update(chunk.subarray(0, read));
      }
    } finally {
      closeSync(file);
    }
  }
  return hash.digest("hex");
}

/** In parts: whole bundles in memory would be much to tidy up for a short command. */
const CHUNK_BYTES = 64 * 1024;

/** The example to begin with, and how to name it from the root of the checkout, which has it. */
export function exampleFile(): { readonly file: string; readonly shown: string } {
  const shown = "packages/sdk/examples/quickstart.ts";
  return { file: path.join(ROOT, shown), shown };
}

/** A module of this package that is a program of its own, by its name in `src/`. */
export function ownEntry(name: "supervisor" | "make-base" | "sdk"): string {
  // The bundle is flat; this module's source lies one folder below the others.
  return fileURLToPath(new URL(BUNDLED ? `./${name}.mjs` : `../${name}.ts`, import.meta.url));
}
