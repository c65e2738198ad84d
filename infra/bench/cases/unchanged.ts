/** Nothing changed since the last build: how soon that is known. */
import { join } from "node:path";
import type { Image } from "lamina";
import type { Bench } from "../bench.ts";
import type { Case, Sides } from "../case.ts";
import { writeFiles } from "../files.ts";
import { unchanged } from "../images/unchanged.ts";

const FILES = 1_000;

const what = "nothing changed, 12 layers and 1,000 files";
const peer = "`buildctl build`";

export const unchangedBySdk: Case = {
  name: "unchanged-sdk",
  what,
  ours: "`image.build()`",
  peer,
  goal: { kind: "ratio", atMost: 0.25 },
  async prepare(bench) {
    const { image, peer } = await built(bench);
    return { ours: () => bench.lamina.build(image), peer };
  },
};

export const unchangedByCli: Case = {
  name: "unchanged-cli",
  what,
  ours: "`lamina build`",
  peer,
  goal: { kind: "ratio", atMost: 1.2 },
  async prepare(bench) {
    const { files, peer } = await built(bench);
    const file = await bench.userFile("unchanged.ts");
    return { ours: () => bench.lamina.buildByCli(file, { BENCH_FILES: files }), peer };
  },
};

interface Built extends Pick<Sides, "peer"> {
  readonly files: string;
  readonly image: Image;
}

async function built(bench: Bench): Promise<Built> {
  const files = join(await bench.directory(), "files");
  await writeFiles(files, FILES);
  const image = unchanged(files);
  const plain = await bench.plain(image);
  return { files, image, peer: () => plain.build() };
}
