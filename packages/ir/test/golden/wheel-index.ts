/** A package index on loopback that gives lamina-sample to those who know its token. */
import { packageIndex, type PackageFile, type PackageIndex } from "@lamina/testkit";
import { wheel } from "./wheel.ts";

const NEWER: PackageFile = { name: wheel.newerFileName, content: wheel.newer };

export function wheelIndex(token: string, file: PackageFile = NEWER): Promise<PackageIndex> {
  return packageIndex(token, [file]);
}
