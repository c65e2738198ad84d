/** Images out of a user's file, which is imported into this process. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { imagesOf, badInput, type NamedImage as LoadedImage } from "lamina";
import { guarded } from "./guard.ts";
import { isPython } from "./python.ts";
import { resolveForUser } from "./resolve.ts";

export type { LoadedImage };

/** `FILE` or `FILE#export`. */
export interface Target {
  readonly file: string;
  readonly name: string | undefined;
}

export function parseTarget(text: string): Target {
  const hash = text.lastIndexOf("#");
  return hash === -1 ? { file: text, name: undefined } : { file: text.slice(0, hash), name: text.slice(hash + 1) };
}

/** The images that a target means, at least one. @throws INVALID_INPUT when there is none, and the user's own errors with their place */
export async function loadImages(target: Target): Promise<[LoadedImage, ...LoadedImage[]]> {
  const exports = await importFile(target.file);
  const images = imagesOf(exports);
  const chosen = target.name === undefined ? images : named(target.name, exports);
  const [first, ...others] = chosen;
  if (first !== undefined) return [first, ...others];
  const wanted = target.name === undefined ? "no image" : `no image named "${target.name}"`;
  const advice =
    images.length === 0
      ? `Export one: export const ${target.name ?? "image"} = Image.debianSlim()`
      : `It exports: ${images.map(({ name }) => name).join(", ")}`;
  throw badInput("no-image", `${target.file} exports ${wanted}. ${advice}.`);
}

/** What a file exports. @throws INVALID_INPUT for what is no such file, and the user's own errors with their place */
export async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const absolute = path.resolve(file);
  const found = await stat(absolute).catch(() => undefined);
  if (!found?.isFile()) throw badInput("no-image", `${file} is not a file.`);
  if (!/\.[cm]?[jt]s$/.test(file)) {
    const advice = isPython(file)
      ? ": for files in Python there are `lamina run` and `lamina deploy`, which build the images of its functions"
      : "";
    throw badInput("no-image", `${file} is neither TypeScript nor JavaScript${advice}.`);
  }
  resolveForUser();
  const importUser = () => import(pathToFileURL(absolute).href);
  const errorOf = async (thrown: unknown) => (await import("./user-error.ts")).uncaughtError(thrown, absolute);
  try {
    const exports: unknown = await guarded({ file: absolute, load: importUser, errorOf });
    return typeof exports === "object" ? { ...exports } : {};
  } catch (error) {
    const { userError } = await import("./user-error.ts");
    throw await userError(error, absolute);
  }
}

/** An export of that name, whichever others it is the same as; else a function of an app. */
function named(name: string, exports: Readonly<Record<string, unknown>>): LoadedImage[] {
  const exported = imagesOf({ [name]: exports[name] }).filter((image) => image.name === name);
  return exported.length > 0 ? exported : imagesOf(exports).filter((image) => image.name === name);
}
