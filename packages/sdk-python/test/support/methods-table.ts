/** All methods of an image and their parameters, in both languages, as a page made of what both SDKs have. */
import type { BothSdks, MadeRow, Sdk } from "./both-languages.ts";

/** Parameters that are named otherwise than by their form in the other language. */
const NAMES: Readonly<Record<string, string>> = {
  pythonPackages: "paths",
  poetryPyprojectToml: "pyproject",
  poetryLockFile: "lockFile",
  dockerfileCommands: "commands",
  function: "handler",
  envVars: "variables",
};

/** What one language has alone, and what there is in the other. */
export const ALONE: Readonly<Record<string, string>> = {
  "runFunction kwargs": "an object among `args`",
  imports: "`await import()` where it is used",
  toDockerfile: "`lamina dockerfile FILE`",
  "plan signal": "Ctrl-C, or cancelling the task of `plan.aio()`",
  "build signal": "Ctrl-C, or cancelling the task of `build.aio()`",
  "build showProgress": "nothing is said but to `onEvent`",
};

/** What cannot be the same. */
export const DIFFERENT: Readonly<Record<string, string>> = {
  debianSlim: "no: without a version it is the builder version's in TypeScript, the program's own in Python",
  runFunction: "no: the function's source is in it",
};

/** Methods that make no layer. */
const WITHOUT_LAYER: ReadonlySet<string> = new Set(["imports", "toDockerfile", "plan", "build"]);

/** A method with one of its parameters, or alone, by its names in TypeScript. */
type Key = string;

interface Entry {
  readonly method: string;
  readonly parameter: string | null;
}

/** What an SDK offers: each parameter of each method, and methods that have none. */
export function offeredBy({ methods }: Sdk): ReadonlyMap<Key, Entry> {
  const entries = methods.flatMap(({ name, parameters }) =>
    (parameters.length === 0 ? [null] : parameters).map((parameter) => ({ method: name, parameter })),
  );
  return new Map(entries.map((entry) => [keyOf(entry), entry]));
}

export function rowsOf({ rows }: Sdk): ReadonlyMap<Key, MadeRow> {
  return new Map(rows.map((row) => [keyOf(row), row]));
}

export function makesLayer(key: Key): boolean {
  return !WITHOUT_LAYER.has(methodOf(key));
}

function keyOf({ method, parameter }: Entry): Key {
  const spelt = camel(parameter ?? "");
  return `${camel(method)} ${NAMES[spelt] ?? spelt}`.trim();
}

function methodOf(key: Key): string {
  return key.split(" ")[0] ?? "";
}

function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The page, in the form that the formatter gives it. */
export function methodsPage(both: BothSdks): string {
  const [typescript, python] = [sideOf(both.typescript), sideOf(both.python)];
  const keys = [...new Set([...typescript.entries.keys(), ...python.entries.keys()])];
  const order = [...new Set(keys.map(methodOf))];
  const lines = keys
    .toSorted((a, b) => order.indexOf(methodOf(a)) - order.indexOf(methodOf(b)))
    .map((key) => [nameIn(typescript, key), nameIn(python, key), codeIn(typescript, key), codeIn(python, key), sameness(key)]);
  return [HEAD, ...table(["TypeScript", "Python", "such as", "and", "same id"], lines), ""].join("\n");
}

const HEAD = `# Methods in both languages

Every public method of \`Image\` with every parameter, and an image that is made with it in both languages, where \`image\` is
\`Image.debian_slim("3.12")\`. The same id: both have the same definition, and all layers the same ids. \`test/methods.test.ts\` finds methods
and parameters in the SDKs themselves, makes each image in both, and holds this page against what it found;
\`node packages/sdk-python/scripts/write-methods.ts\` writes it anew.
`;

interface Side {
  readonly entries: ReadonlyMap<Key, Entry>;
  readonly rows: ReadonlyMap<Key, MadeRow>;
}

/** Methods are shown alone too, where there is a row for that. */
function sideOf(sdk: Sdk): Side {
  const rows = rowsOf(sdk);
  return { entries: new Map([...rows, ...offeredBy(sdk)]), rows };
}

function nameIn({ entries }: Side, key: Key): string {
  const entry = entries.get(key);
  if (entry === undefined) return ALONE[key] ?? "";
  return [entry.method, entry.parameter].flatMap((name) => (name === null ? [] : [`\`${name}\``])).join(" ");
}

function codeIn({ rows }: Side, key: Key): string {
  const row = rows.get(key);
  return row === undefined ? "" : `\`${row.code.replaceAll("|", "\\|")}\``;
}

function sameness(key: Key): string {
  if (!makesLayer(key)) return "makes no layer";
  if (key in ALONE) return "";
  return DIFFERENT[key] ?? "yes";
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(...[head, ...lines].map((cells) => cells[column]?.length ?? title.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...lines.map(line)];
}
