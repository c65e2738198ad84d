/** Many small calls, beside Python's own pool of as many processes, to which inputs and results go as JSON too. */
import { createInterface } from "node:readline";
import { join } from "node:path";
import { execa } from "execa";
import type { Bench } from "../bench.ts";
import type { Case } from "../case.ts";
import { deployed } from "../functions/deployed.ts";
import { PEERS } from "../peer-python.ts";

const INPUTS = Array.from({ length: 1_000 }, (_, index) => index);
const CONTAINERS = 2;

export const mapOfMany: Case = {
  name: "map",
  what: "1,000 small inputs over two processes",
  ours: "`map`",
  peer: "`multiprocessing.Pool`",
  goal: { kind: "ratio", atMost: 4 },
  async prepare(bench) {
    const double = await deployed(bench, "double", { minContainers: CONTAINERS, maxContainers: CONTAINERS });
    return {
      ours: async () => {
        const startedAt = performance.now();
        const results: number[] = [];
        for await (const result of double.map(INPUTS)) results.push(result);
        const milliseconds = performance.now() - startedAt;
        if (results.length !== INPUTS.length) throw new RangeError(`There are ${results.length} results.`);
        return milliseconds;
      },
      peer: await pool(bench),
    };
  },
};

/** A process that has such a pool, and takes the time itself. */
async function pool({ python, owned }: Bench): Promise<() => Promise<number>> {
  const running = execa(await python(), [join(PEERS, "pool.py")], { stderr: "inherit", buffer: false });
  const answers = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  owned.defer(async () => {
    running.stdin.end();
    await running;
  });
  return async () => {
    running.stdin.write(`${INPUTS.length}\n`);
    return Number((await answers.next()).value);
  };
}
