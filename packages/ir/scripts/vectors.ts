/** The files of `vectors/`, worked out anew from the cases. */
import {
  type Json,
  type LowerRequest,
  canonicalDigest,
  canonicalJson,
  layersOf,
  lower,
  resolveDefinition,
  treeDigest,
} from "../src/index.ts";
import { canonicalCases, definitionCases, treeCases } from "../test/golden/vector-cases.ts";
import { type Flags, IDLE_FLAGS, PIP_FLAGS, UV_FLAGS } from "../src/lower/pip-flags.ts";
import { goldenCases, requestOf } from "../test/golden/cases.ts";

/** Where the vectors lie, with a slash at the end. */
export const vectorsDirectory = new URL("../vectors/", import.meta.url);

/** The content of each file, by its path below {@link vectorsDirectory}. */
export function vectorFiles(): Map<string, string> {
  return new Map([
    ["canonical-json.json", json(canonicalCases.map(canonicalVector))],
    ["definitions.json", json(definitionCases.map(definitionVector))],
    ["trees.json", json(treeCases.map(({ name, entries }) => ({ name, entries, digest: treeDigest(entries) })))],
    ["pip-flags.json", json({ uv: flagsVector(UV_FLAGS), pip: flagsVector(PIP_FLAGS), idle: [...IDLE_FLAGS] })],
    ["lowering.json", json(goldenCases.map((golden) => loweringVector(golden.name, requestOf(golden))))],
    ...goldenCases.map((golden): [string, string] => [dockerfilePath(golden.name, requestOf(golden)), lower(requestOf(golden)).dockerfile]),
  ]);
}

function flagsVector({ switches, options }: Flags) {
  return { switches: [...switches], options: [...options] };
}

function canonicalVector({ name, value }: { readonly name: string; readonly value: Json }) {
  return { name, value, canonical: canonicalJson(value), digest: canonicalDigest(value) };
}

function definitionVector({ name, definition, resolution }: (typeof definitionCases)[number]) {
  const resolved = resolveDefinition(definition, { ...resolution, secrets: new Map(Object.entries(resolution.secrets)) });
  const layers = layersOf(resolved).map(({ id, parent, operation }) => {
    const { builderVersion, platform } = resolved;
    return { id, canonical: canonicalJson({ builderVersion, platform, parent, operation }) };
  });
  return { name, definition, resolution, resolved, layers, imageId: layers.at(-1)?.id };
}

function loweringVector(name: string, request: LowerRequest) {
  const { dockerfile: _, ...lowered } = lower(request);
  return { name, request, lowered: { dockerfile: dockerfilePath(name, request), ...lowered } };
}

function dockerfilePath(name: string, { definition }: LowerRequest): string {
  return `dockerfiles/${definition.builderVersion}/${name}.Dockerfile`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
