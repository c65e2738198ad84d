/** Python packages with a warm package cache and no layer to start from, beside pip as people write it in a Dockerfile. */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "../case.ts";
import { image, PACKAGES } from "../images/basic-python.ts";

export const basicPython: Case = {
  name: "basic-python",
  what: "the basic Python environment, layers cold and packages cached",
  ours: "`lamina build`",
  peer: "`pip install` in a Dockerfile",
  goal: { kind: "ratio", atMost: 0.5 },
  async prepare(bench) {
    const file = await bench.userFile("basic-python.ts");
    const directory = await bench.directory();
    const base = await bench.lamina.baseOf(image);
    return {
      ours: () => bench.lamina.buildByCli(file, { BENCH_NONCE: randomUUID() }),
      peer: async () => {
        await writeFile(join(directory, "Dockerfile"), pipDockerfile(base));
        return bench.buildctl.build({ directory, arguments: [] });
      },
    };
  },
};

/** The certificates are those that our builder hands to its steps too. */
function pipDockerfile(base: string): string {
  const certificates = "--mount=type=secret,id=lamina-ca,target=/dev/lamina/ca.pem,mode=0444";
  const cache = "--mount=type=cache,id=bench-pip,target=/root/.cache/pip";
  const trust = "if [ -e /dev/lamina/ca.pem ]; then export PIP_CERT=/dev/lamina/ca.pem; fi";
  return `FROM ${base}\nENV BENCH_RUN=${randomUUID()}\nRUN ${cache} ${certificates} ${trust}; pip install ${PACKAGES.join(" ")}\n`;
}
