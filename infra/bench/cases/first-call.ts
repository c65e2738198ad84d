/** The first call of a function whose image is here, beside a container that is started by hand to do the same. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import type { Bench } from "../bench.ts";
import type { Case } from "../case.ts";
import { deployed, functionImage } from "../functions/deployed.ts";
import { timed } from "../timed.ts";

/** How long the platform takes to be at rest again after a call. */
const REST_MS = 1_000;

export const firstCall: Case = {
  name: "first-call",
  what: "a first call, the image there and no container",
  ours: "`remote`",
  peer: "`runc run`",
  goal: { kind: "ratio", atMost: 2 },
  async prepare(bench) {
    const nothing = await deployed(bench, "nothing", { idleTimeout: 0, maxContainers: 1 });
    const run = await plainContainer(bench);
    return {
      ours: async () => {
        await delay(REST_MS);
        const startedAt = performance.now();
        await nothing.remote();
        return performance.now() - startedAt;
      },
      peer: async () => {
        await delay(REST_MS);
        return run();
      },
    };
  },
};

const Spec = z.looseObject({ process: z.looseObject({}), root: z.looseObject({}) });
/** The same function, called once. */
const COMMAND = ["python3", "-c", "import sys; sys.path.insert(0, '/code'); import work, json; print(json.dumps(work.nothing()))"];

/** A bundle for runc of the same image, and what runs it. */
async function plainContainer(bench: Bench): Promise<() => Promise<number>> {
  const bundle = await bench.directory();
  const root = join(bundle, "rootfs");
  await mkdir(root);
  const plain = await bench.plain(functionImage);
  await plain.unpack(root);
  await mkdir(join(root, "code"));
  await writeFile(join(root, "code/work.py"), await readFile(join(import.meta.dirname, "../functions/work.py")));
  await execa("runc", ["spec"], { cwd: bundle });
  const file = join(bundle, "config.json");
  const spec = Spec.parse(JSON.parse(await readFile(file, "utf8")));
  const process = { ...spec.process, terminal: false, args: COMMAND };
  await writeFile(file, JSON.stringify({ ...spec, process, root: { ...spec.root, readonly: false } }));
  return async () => (await timed(["runc", "run", bundle.slice(bundle.lastIndexOf("/") + 1)], { cwd: bundle })).milliseconds;
}
