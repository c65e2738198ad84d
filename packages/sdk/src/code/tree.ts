/** The code of functions as trees: each function's, and what has to be sent of them. */
import { badInput, type EntryPoint } from "@lamina/api";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FunctionDefinition } from "../functions/definition.ts";
import { ChangedWhileRead } from "../local/digest.ts";
import { aboutPath } from "../local/problem.ts";
import { type LocalTree, readFileTree } from "../local/tree.ts";
import { Unsupported } from "../local/walk.ts";
import type { SnapshotTree } from "../snapshot.ts";
import { bundleOf, BundleProblem } from "./bundle.ts";
import { pythonTree } from "./sources.ts";
import { registeredName } from "./stand-in.ts";

export interface FunctionCode {
  readonly tree: SnapshotTree;
  readonly entry: EntryPoint;
}

/** The code of an app's functions, in their order; its files may lie in a directory that goes when it is disposed of. */
export interface AppCode extends AsyncDisposable {
  readonly functions: readonly FunctionCode[];
}

export interface CodeOf {
  readonly app: string;
  readonly functions: readonly FunctionDefinition[];
  readonly home: string;
}

const BUNDLE = "bundle.mjs";

/** Bundles and reads the code of functions, that of one file or module once. @throws INVALID_INPUT with the place of the function */
export async function codeOf({ app, functions, home }: CodeOf): Promise<AppCode> {
  const scratch = await mkdtemp(join(tmpdir(), "lamina-code-"));
  const remove = () => rm(scratch, { recursive: true, force: true });
  const trees = new Map<string, Promise<LocalTree>>();
  const once = (key: string, read: () => Promise<LocalTree>) => {
    const tree = trees.get(key) ?? read();
    trees.set(key, tree);
    return tree;
  };
  const read = async ({ name, code, source }: FunctionDefinition): Promise<FunctionCode> => {
    if (code.language === "python") {
      const { directory, module, name: attribute } = code;
      const tree = await once(`${directory}:${module}`, () =>
        aboutPath({ given: directory, path: directory }, () => pythonTree(directory, module, home)),
      );
      return { tree: { ...tree, source }, entry: { language: "python", module, name: attribute } };
    }
    if (source === null)
      throw new Unsupported("invalid-function", "a function in TypeScript has to be made in a file, so that its code is found");
    const file = code.file ?? source.file;
    const tree = await once(file, () => bundledTree(file, { functions, directory: join(scratch, String(trees.size)) }));
    return { tree: { ...tree, source }, entry: { language: "typescript", file: BUNDLE, name: registeredName(app, name) } };
  };
  try {
    const codes = await Promise.all(
      functions.map((definition) =>
        read(definition).catch((error: unknown) => {
          throw aboutCode(error, definition);
        }),
      ),
    );
    return { functions: codes, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function bundledTree(
  file: string,
  { functions, directory }: Pick<CodeOf, "functions"> & { readonly directory: string },
): Promise<LocalTree> {
  const named = functions.flatMap(({ name, source, code }) =>
    source !== null && code.language === "typescript" && code.isNamedByVariable ? [{ name, source }] : [],
  );
  const text = await bundleOf(file, named);
  await mkdir(directory);
  const place = join(directory, BUNDLE);
  await writeFile(place, text, { mode: 0o644 });
  return readFileTree(place, { home: directory });
}

function aboutCode(error: unknown, { name, source }: FunctionDefinition): unknown {
  const isAboutFiles = error instanceof Unsupported || error instanceof ChangedWhileRead || error instanceof BundleProblem;
  return isAboutFiles ? badInput(error.reason, `${name}: ${error.message}`, { source, cause: error }) : error;
}
