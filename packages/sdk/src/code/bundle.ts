/** A user's file and all that it imports, as the one file that a container runs. */
import type { LogOrStringHandler, Plugin } from "rolldown";
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { offsetOf } from "../functions/name.ts";
import type { SourceLocation } from "@lamina/api";
import { STAND_IN } from "./stand-in.ts";

/** A file that cannot be bundled, in the words for who wrote it. */
export class BundleProblem extends Error {
  readonly reason = "failing-file";
  override readonly name = "BundleProblem";
}

/** A function whose name is that of its variable, and where it is made, in the file or in one that it imports. */
export interface NamedThere {
  readonly name: string;
  readonly source: SourceLocation;
}

/**
 * The text of the bundle: with a source map in it, that names files from the nearest package.json on. The same sources give the same text
 * wherever they lie. @throws BundleProblem
 */
export async function bundleOf(file: string, named: readonly NamedThere[]): Promise<string> {
  // Slow to load, and needed when something is deployed alone.
  const { rolldown } = await import("rolldown");
  const root = packageRootOf(file);
  const onLog: LogOrStringHandler = () => {};
  try {
    await using bundle = await rolldown({
      input: file,
      cwd: root,
      platform: "node",
      logLevel: "silent",
      onLog,
      plugins: [standIn(), named.length === 0 ? undefined : naming(named), refusingAddons()],
    });
    const { output } = await bundle.generate({
      format: "esm",
      sourcemap: true,
      sourcemapExcludeSources: true,
      keepNames: true,
      codeSplitting: false,
      entryFileNames: "bundle.mjs",
      // The map lies where the bundle does, in no directory of ours.
      dir: root,
      sourcemapPathTransform: (source, map) => relative(root, resolve(dirname(map), source)),
    });
    const [chunk] = output;
    return `${chunk.code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n")}//# sourceMappingURL=${chunk.map?.toUrl() ?? ""}\n`;
  } catch (error) {
    throw new BundleProblem(wordsOf(error), { cause: error });
  }
}

function packageRootOf(file: string): string {
  const start = dirname(file);
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, "package.json"))) return directory;
    if (directory === dirname(directory)) return start;
  }
}

const STAND_IN_ID = "\0lamina";

function standIn(): Plugin {
  return {
    name: "lamina:stand-in",
    resolveId: { filter: { id: /^lamina$/ }, handler: () => STAND_IN_ID },
    load: { filter: { id: /^\0lamina$/ }, handler: () => ({ code: STAND_IN, moduleType: "js" }) },
  };
}

/**
 * Puts the name of its variable in front of each call that makes a function without a name of its own. Lines stay what they were, and with
 * them the source map.
 */
function naming(named: readonly NamedThere[]): Plugin {
  return {
    name: "lamina:names",
    transform(code, id) {
      const here = named.filter(({ source }) => source.file === id);
      if (here.length === 0) return undefined;
      const places = here.map(({ name, source }) => ({ name, offset: offsetOf(code, source) }));
      const missing = places.some(({ offset }) => offset === undefined);
      if (missing) throw new BundleProblem(`${id} changed since it was loaded; try again`);
      const lastFirst = places.toSorted((a, b) => (b.offset ?? 0) - (a.offset ?? 0));
      const text = lastFirst.reduce(
        (before, { name, offset }) => inserted(before, { at: offset ?? 0, text: `named(${JSON.stringify(name)}).` }),
        code,
      );
      return { code: text, map: null };
    },
  };
}

function inserted(text: string, { at, text: added }: { readonly at: number; readonly text: string }): string {
  return text.slice(0, at) + added + text.slice(at);
}

/** What finds and loads an addon at run time, which no bundle can hold. */
const ADDON_LOADERS = /^(bindings|node-gyp-build|node-pre-gyp|@mapbox\/node-pre-gyp|pkg-prebuilds|@napi-rs\/.*)$/;

function refusingAddons(): Plugin {
  return {
    name: "lamina:addons",
    resolveId: {
      order: "pre",
      filter: { id: [/\.node$/, ADDON_LOADERS] },
      handler(id, importer) {
        const from = importer === undefined ? "" : `, which ${importer} imports,`;
        const message = `${id}${from} is, or loads, a native addon, and those are made for one machine and do not go into a bundle: use a package in plain JavaScript, or a program of the image`;
        throw new BundleProblem(message);
      },
    },
  };
}

/** What rolldown throws for all that it finds wrong at once; its messages have colours and a drawing of the place. */
const Findings = z.object({
  errors: z
    .array(
      z.object({
        message: z.string(),
        loc: z.object({ file: z.string(), line: z.int(), column: z.int() }).optional(),
      }),
    )
    .min(1),
});

function wordsOf(error: unknown): string {
  const { data } = Findings.safeParse(error);
  if (data === undefined) return stripVTControlCharacters(error instanceof Error ? error.message : String(error)).trim();
  return data.errors.map(finding).join("; ");
}

function finding({ message, loc }: z.output<typeof Findings>["errors"][number]): string {
  const [first = ""] = stripVTControlCharacters(message).split("\n", 1);
  const words = first.replace(/^\[[A-Z_]+\] /, "").replace(/\.$/, "");
  return loc === undefined ? words : `${words} (${loc.file}:${loc.line}:${loc.column + 1})`;
}
