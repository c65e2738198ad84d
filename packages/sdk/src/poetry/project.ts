/** A pyproject.toml as Poetry reads it: `[project]`, `[dependency-groups]` and `[tool.poetry]`. */
import { normalPackageName } from "@lamina/ir";
import type { TomlTable } from "smol-toml";
import { z } from "zod";
import { parseToml } from "../local/toml.ts";
import { Unsupported } from "../local/walk.ts";

export interface PoetryProject {
  /** The file as it was given. */
  readonly given: string;
  readonly data: TomlTable;
  readonly content: Pyproject;
}

const Dependencies = z.record(z.string(), z.unknown());
const Pyproject = z.looseObject({
  project: z
    .looseObject({
      dependencies: z.array(z.string()).optional(),
      "optional-dependencies": z.record(z.string(), z.array(z.string())).optional(),
      dynamic: z.array(z.string()).optional(),
    })
    .optional(),
  "dependency-groups": z.record(z.string(), z.array(z.unknown())).optional(),
  tool: z
    .looseObject({
      poetry: z
        .looseObject({
          dependencies: Dependencies.optional(),
          "dev-dependencies": Dependencies.optional(),
          group: z.record(z.string(), z.looseObject({ dependencies: Dependencies.optional() })).optional(),
          extras: z.record(z.string(), z.array(z.string())).optional(),
        })
        .optional(),
    })
    .optional(),
});
type Pyproject = z.infer<typeof Pyproject>;

/** @throws Unsupported for what is not TOML or has another shape than a pyproject */
export function readProject(text: string, given: string): PoetryProject {
  const data = parseToml(text, { given, reason: "invalid-pyproject" });
  const result = Pyproject.safeParse(data);
  if (result.success) return { given, data, content: result.data };
  const [issue] = result.error.issues;
  throw new Unsupported("invalid-pyproject", `"${given}": ${issue?.path.join(".")}: ${issue?.message}`);
}

export interface Wanted {
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  readonly isLocked: boolean;
}

/** @throws Unsupported where what is wanted is not in the project, or lies in files beside it */
export function checkProject({ given, content }: PoetryProject, wanted: Wanted): void {
  const dependencies = dependenciesOf(content);
  if (dependencies === undefined) {
    throw new Unsupported(
      "invalid-pyproject",
      `"${given}" has no dependencies: neither [project] nor [tool.poetry.dependencies] nor a group lists any`,
    );
  }
  checkNames({ given, what: "extra", known: extrasOf(content), wanted: wanted.extras });
  checkNames({ given, what: "group", known: groupsOf(content), wanted: wanted.groups });
  // Without a lock Poetry looks at all of them.
  const local = dependencies.find((one) => one.local !== undefined && (!wanted.isLocked || isInstalled(one, wanted)));
  if (local === undefined) return;
  throw new Unsupported(
    "local-dependency",
    `"${given}" needs ${local.name} from "${local.local}", and files beside it are not sent: take it out of the project and add it with addPythonPackages`,
  );
}

interface Names {
  readonly given: string;
  readonly what: string;
  readonly known: readonly string[];
  readonly wanted: readonly string[];
}

function checkNames({ given, what, known, wanted }: Names): void {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Unsupported(
    "unknown-group",
    `"${given}" has no ${what} "${unknown}"; it has ${known.length === 0 ? "none" : known.join(", ")}`,
  );
}

interface Dependency {
  readonly name: string;
  /** `main`, or the group that lists it. */
  readonly group: string;
  /** It is installed only with one of these. */
  readonly extras?: readonly string[];
  /** The path of a directory or file on this machine. */
  readonly local: string | undefined;
}

function isInstalled({ group, extras }: Dependency, wanted: Wanted): boolean {
  if (group !== "main") return wanted.groups.includes(group);
  return extras === undefined || extras.some((extra) => wanted.extras.includes(extra));
}

/** All dependencies, or undefined where nothing lists any. */
function dependenciesOf({ project, tool, "dependency-groups": standardGroups }: Pyproject): Dependency[] | undefined {
  const { dependencies, group: groups, "dev-dependencies": development } = tool?.poetry ?? {};
  const lists = [project?.dependencies, project?.["optional-dependencies"], dependencies, groups, development, standardGroups];
  if (lists.every((list) => list === undefined)) return undefined;
  const ofStrings = (strings: readonly unknown[], group: string, extras?: string[]) =>
    strings.flatMap((text) => (typeof text === "string" ? [standardDependency(text, group, extras)] : []));
  const ofTable = (table: Record<string, unknown>, group: string) =>
    Object.entries(table).map(([name, value]) =>
      poetryDependency(name, value, { group, extras: extrasThatBring(name, tool?.poetry?.extras) }),
    );
  return [
    ...ofStrings(project?.dependencies ?? [], "main"),
    ...Object.entries(project?.["optional-dependencies"] ?? {}).flatMap(([extra, list]) =>
      ofStrings(list, "main", [normalPackageName(extra)]),
    ),
    ...Object.entries(standardGroups ?? {}).flatMap(([group, list]) => ofStrings(list, normalPackageName(group))),
    ...ofTable(dependencies ?? {}, "main"),
    ...ofTable(development ?? {}, "dev"),
    ...Object.entries(groups ?? {}).flatMap(([group, { dependencies: table = {} }]) => ofTable(table, normalPackageName(group))),
  ];
}

/** `name @ file:///…`, or another requirement. */
function standardDependency(text: string, group: string, extras: readonly string[] | undefined): Dependency {
  const [name = "", url = ""] = text.split("@", 2).map((part) => part.trim());
  return { name, group, ...(extras && { extras }), local: /^(file:|\.{0,2}\/)/.test(url) ? url.split(";")[0]?.trim() : undefined };
}

/** A constraint, a table, or several of them for different environments. */
function poetryDependency(
  name: string,
  value: unknown,
  { group, extras }: { readonly group: string; readonly extras: string[] },
): Dependency {
  const tables = (Array.isArray(value) ? value : [value]).map((one) => PoetryDependency.safeParse(one).data ?? {});
  const isOptional = tables.some(({ optional }) => optional === true);
  return { name, group, ...(isOptional && { extras }), local: tables.find(({ path }) => path !== undefined)?.path };
}

const PoetryDependency = z.looseObject({ path: z.string().optional(), optional: z.boolean().optional() });

function extrasThatBring(name: string, extras: Record<string, string[]> = {}): string[] {
  const isThis = (requirement: string) => normalPackageName(requirement) === normalPackageName(name);
  return Object.entries(extras).flatMap(([extra, list]) => (list.some(isThis) ? [normalPackageName(extra)] : []));
}

function extrasOf({ project, tool }: Pyproject): string[] {
  const names = [...Object.keys(project?.["optional-dependencies"] ?? {}), ...Object.keys(tool?.poetry?.extras ?? {})];
  return [...new Set(names.map(normalPackageName))].sort();
}

function groupsOf(content: Pyproject): string[] {
  const { group = {}, "dev-dependencies": development } = content.tool?.poetry ?? {};
  const names = [...Object.keys(group), ...Object.keys(content["dependency-groups"] ?? {}), ...(development === undefined ? [] : ["dev"])];
  return [...new Set(names.map(normalPackageName))].sort();
}
