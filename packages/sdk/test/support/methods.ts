/**
 * For the tests of the SDK for Python, `methods.ts DIRECTORY RESOLUTION`: prints, as JSON, the public methods of an image with their
 * parameters, and what this SDK makes of each row of `method-rows.ts`, with local files of the directory: its code, definition and ids.
 */
import { Digest, layersOf, Platform, resolveDefinition } from "@lamina/ir";
import { type BuildOptions, Image, imageState, type PlanOptions } from "lamina";
import { z } from "zod";
import { snapshotOf } from "../../src/snapshot.ts";
import { METHODS, optionsOf, OTHERS } from "../image-api/methods.ts";
import { METHOD_ROWS, type MethodRow } from "./method-rows.ts";

const Resolution = z.object({ platform: Platform, baseDigest: Digest, secrets: z.record(z.string(), z.array(z.string())) });

/** Options that only types have: the compiler says when one is missing. */
const PLAN_OPTIONS: Record<keyof PlanOptions, true> = { pull: true, signal: true };
const BUILD_OPTIONS: Record<keyof BuildOptions, true> = { ...PLAN_OPTIONS, onEvent: true, name: true, sizes: true };
const TYPED: Readonly<Record<string, object>> = { plan: PLAN_OPTIONS, build: BUILD_OPTIONS };

const [directory = "", given = ""] = process.argv.slice(2);
const { secrets, ...resolution } = Resolution.parse(JSON.parse(given));
process.chdir(directory);
const methods = [...METHODS, ...OTHERS].map((name) => ({ name, parameters: parametersOf(name) }));
const rows = await Promise.all(METHOD_ROWS.map(made));
process.stdout.write(JSON.stringify({ methods, rows }));

async function made({ method, parameter, make }: MethodRow) {
  const image = make(Image.debianSlim({ pythonVersion: "3.12" }));
  const { definition } = await snapshotOf(imageState(image));
  const resolved = resolveDefinition(definition, { ...resolution, secrets: new Map(Object.entries(secrets)) });
  return { method, parameter: parameter ?? null, code: codeOf(make), definition, ids: layersOf(resolved).map(({ id }) => id) };
}

/** Types are blanks when this runs, so functions are as they were written. */
function codeOf(make: MethodRow["make"]): string {
  return String(make)
    .replace(/^\([^)]*\) =>\s*/, "")
    .replaceAll(/\s+/g, " ");
}

function parametersOf(method: string): string[] {
  const [, list = ""] = /\(([^)]*)\)/.exec(String(Reflect.get(Image, method) ?? Reflect.get(Image.prototype, method))) ?? [];
  const positional = list.split(",").flatMap((one) => /\w+/.exec(one)?.[0] ?? []);
  return [...positional.filter((name) => name !== "options"), ...optionsOf(method), ...Object.keys(TYPED[method] ?? {})];
}
