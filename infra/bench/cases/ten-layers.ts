import { randomUUID } from "node:crypto";
import type { Case } from "../case.ts";
import { tenLayers } from "../images/ten-layers.ts";

export const tenLayersPushed: Case = {
  name: "ten-layers",
  what: "ten small layers made and pushed",
  ours: "`lamina build`",
  peer: "`buildctl build`",
  goal: { kind: "ratio", atMost: 1.3 },
  async prepare(bench) {
    const file = await bench.userFile("ten-layers.ts");
    return {
      ours: () => bench.lamina.buildByCli(file, { BENCH_NONCE: randomUUID() }),
      peer: async () => (await bench.plain(tenLayers(randomUUID()))).build(),
    };
  },
};
