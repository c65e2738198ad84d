/** How long a line of a step's output is on its way to whoever watches. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Case } from "../case.ts";
import { SAID, slowLog } from "../images/slow-log.ts";
import { median } from "../measure.ts";

export const logLatency: Case = {
  name: "log-latency",
  what: "a line of output until it is seen",
  ours: "`onEvent`",
  peer: "`buildctl --progress=rawjson`",
  goal: { kind: "difference", atMostMs: 30 },
  async prepare(bench) {
    return {
      async ours() {
        const latencies = createLatencies();
        await bench.lamina.build(slowLog(randomUUID()), {
          onEvent(event) {
            if (event.type === "log") latencies.take(event.line);
          },
        });
        return latencies.median();
      },
      async peer() {
        const latencies = createLatencies();
        const plain = await bench.plain(slowLog(randomUUID()));
        await plain.build((line) => textOf(line).split("\n").forEach(latencies.take));
        return latencies.median();
      },
    };
  },
};

interface Latencies {
  readonly take: (line: string) => void;
  readonly median: () => number;
}

/** Both sides run on this machine, so by one clock. */
function createLatencies(): Latencies {
  const latencies: number[] = [];
  return {
    take(line) {
      const said = SAID.exec(line)?.[1];
      if (said !== undefined) latencies.push(performance.timeOrigin + performance.now() - Number(BigInt(said) / 1_000n) / 1_000);
    },
    median: () => median(latencies),
  };
}

const Status = z.object({ logs: z.array(z.object({ data: z.base64() })).default([]) });

function textOf(line: string): string {
  if (!line.startsWith("{")) return "";
  const { logs } = Status.parse(JSON.parse(line));
  return logs.map(({ data }) => Buffer.from(data, "base64").toString()).join("");
}
