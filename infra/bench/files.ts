/** Directories with many small files, like those of a project. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const FILES_A_DIRECTORY = 100;
const LINES_A_FILE = 30;

/** Writes so many files of about 1.5 kB, a hundred a directory. */
export async function writeFiles(directory: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const file = join(directory, fileName(index));
    if (index % FILES_A_DIRECTORY === 0) await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contentOf(index));
  }
}

/** The path of the file of that number in such a directory. */
export function fileName(index: number): string {
  return join(`module-${Math.floor(index / FILES_A_DIRECTORY)}`, `file-${index}.py`);
}

function contentOf(index: number): string {
  return Array.from(
    { length: LINES_A_FILE },
    (_, line) => `value_${index}_${line} = ${index * line}  # of file ${index}, line ${line}\n`,
  ).join("");
}
