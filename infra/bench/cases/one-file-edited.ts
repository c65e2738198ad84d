import { appendFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Case } from "../case.ts";
import { fileName, writeFiles } from "../files.ts";
import { manyFiles } from "../images/many-files.ts";

const FILES = 10_000;

export const oneFileEdited: Case = {
  name: "one-file-edited",
  what: "one of 10,000 files edited",
  ours: "`lamina build`",
  peer: "`buildctl build`",
  goal: { kind: "ratio", atMost: 1.2 },
  async prepare(bench) {
    const files = join(await bench.directory(), "files");
    await writeFiles(files, FILES);
    const file = await bench.userFile("many-files.ts");
    const plain = await bench.plain(manyFiles(files));
    const tree = join(plain.directory, "contexts/lamina-files-1/t");
    return {
      ours: async () => {
        await edit(files);
        return bench.lamina.buildByCli(file, { BENCH_FILES: files });
      },
      peer: async () => {
        await edit(tree);
        return plain.build();
      },
    };
  },
};

async function edit(directory: string): Promise<void> {
  await appendFile(join(directory, fileName(Math.floor(Math.random() * FILES))), `# ${randomUUID()}\n`);
}
