/** The Node that runs functions of JavaScript in builds: this process' own. */
import { copyFile, mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { LaminaError } from "@lamina/api";

/** A directory with nothing but `node`, made below `state` when it is not there. @throws {LaminaError} BUILD_FAILED when this is another Node */
export async function nodeDirectory(state: string, version: string): Promise<string> {
  if (process.versions.node.split(".")[0] !== version) {
    const message = `This builder runs under Node ${process.versions.node}, and the image needs Node ${version}. Start the builder under that.`;
    throw new LaminaError({ code: "BUILD_FAILED", message });
  }
  const directory = join(state, `node-${process.versions.node}`);
  const path = join(directory, "node");
  if (await stat(path).catch(() => undefined)) return directory;
  await mkdir(directory, { recursive: true });
  const temporary = `${directory}.${process.pid}.tmp`;
  await copyFile(process.execPath, temporary);
  await rename(temporary, path);
  return directory;
}
