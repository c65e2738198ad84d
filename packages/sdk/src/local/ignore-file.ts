/** The .dockerignore of a directory. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ignoreFault } from "./ignore.ts";
import { Unsupported } from "./walk.ts";

/** Its lines; none where there is no such file. @throws Unsupported for a line that is no pattern */
export async function ignoreLines(directory: string): Promise<string[]> {
  const file = join(directory, ".dockerignore");
  if (!(await isFile(file))) return [];
  const lines = (await readFile(file, "utf8")).replace(/^\ufeff/, "").split(/\r?\n/);
  lines.forEach((line, index) => {
    const fault = ignoreFault(line);
    if (fault !== undefined)
      throw new Unsupported("invalid-ignore-pattern", `"${file}" has no pattern in line ${index + 1}, ${JSON.stringify(line)}: ${fault}`);
  });
  return lines;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );
}
