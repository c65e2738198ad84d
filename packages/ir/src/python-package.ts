/** What the names of Python packages say: of projects, wheels and source distributions. */
import type { Fault } from "./definition-error.ts";
import type { Platform } from "./operation.ts";

/** The name of a project, an extra or a group in its normal form: `My_Package` and `my.package` are `my-package`. */
export function normalPackageName(name: string): string {
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}

/** Why a directory of that name cannot be imported, or undefined when it can. */
export function moduleNameProblem(name: string): string | undefined {
  if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) return undefined;
  return `"${name}" cannot be imported by that name: rename it, or give it a pyproject.toml`;
}

export interface WheelName {
  /** In its normal form. */
  readonly project: string;
  readonly pythons: readonly string[];
  readonly abis: readonly string[];
  readonly platforms: readonly string[];
}

/** What the file name of a wheel says, or undefined for a name that no wheel has. */
export function wheelName(fileName: string): WheelName | undefined {
  const groups = WHEEL.exec(fileName)?.groups;
  if (groups === undefined) return undefined;
  const { project = "", pythons = "", abis = "", platforms = "" } = groups;
  return {
    project: normalPackageName(project),
    pythons: pythons.split("."),
    abis: abis.split("."),
    platforms: platforms.split("."),
  };
}

/** The project of a source distribution, by its file name; undefined for a name that has no version. */
export function sourceProject(fileName: string): string | undefined {
  const project = /^(.+)-[^-]+\.(?:tar\.gz|zip)$/.exec(fileName)?.[1];
  return project && normalPackageName(project);
}

/** What is known of the place where a wheel is to be installed. */
export interface WheelTarget {
  /** The minor version of a CPython 3 on Debian; undefined for a base that may have any Python 3. */
  readonly debianPython: number | undefined;
  readonly platform: Platform | undefined;
}

/** Why a wheel cannot be installed there, or undefined when it may be. */
export function wheelFault(wheel: WheelName, target: WheelTarget): Fault | undefined {
  const { pythons, abis, platforms } = wheel;
  if (!pythons.some((python) => abis.some((abi) => fitsPython(python, abi, target.debianPython)))) {
    const python = target.debianPython === undefined ? "Python 3" : `Python 3.${target.debianPython}`;
    const message = `is for the Python of ${pythons.join(".")}-${abis.join(".")}, and the image has ${python}`;
    return { reason: "wheel-for-another-python", message };
  }
  if (platforms.some((platform) => fitsPlatform(platform, target))) return undefined;
  const where = target.platform ?? "linux/amd64 or linux/arm64";
  const message = `is for ${platforms.join(".")}, and the image is for ${where}${target.debianPython === undefined ? "" : " with glibc"}`;
  return { reason: "wheel-for-another-platform", message };
}

/** `project-version(-build)-python-abi-platform.whl`; a part of the project's name is escaped so that it has no `-`. */
const WHEEL =
  /^(?<project>[A-Za-z0-9](?:[\w.]*[A-Za-z0-9])?)-[A-Za-z0-9_.!+]+(?:-\d[\w.]*)?-(?<pythons>[A-Za-z0-9_.]+)-(?<abis>[A-Za-z0-9_.]+)-(?<platforms>[A-Za-z0-9_.]+)\.whl$/;

function fitsPython(python: string, abi: string, minor: number | undefined): boolean {
  const [, implementation, major, digits = ""] = /^([a-z]+)(\d)(\d*)$/.exec(python) ?? [];
  if (major !== "3") return false;
  if (minor === undefined) return true;
  const wanted = Number(digits);
  if (implementation === "py") return abi === "none" && wanted <= minor;
  if (implementation !== "cp" || digits === "") return false;
  return abi === "abi3" ? wanted <= minor : wanted === minor && (abi === "none" || abi === `cp3${minor}`);
}

/** How wheels call the machines of a platform. */
const MACHINES: Readonly<Record<Platform, string>> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };

function fitsPlatform(tag: string, { platform, debianPython }: WheelTarget): boolean {
  if (tag === "any") return true;
  const [, libc, machine] = /^(linux|manylinux\w*?|musllinux\w*?)_(x86_64|aarch64)$/.exec(tag) ?? [];
  if (libc === undefined) return false;
  if (libc.startsWith("musllinux") && debianPython !== undefined) return false;
  return platform === undefined || machine === MACHINES[platform];
}
