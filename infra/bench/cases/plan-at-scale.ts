/** Whether plans stay as quick when the database grows: two control planes, each with a database of its own. */
import { randomUUID } from "node:crypto";
import { Image } from "lamina";
import type { Case } from "../case.ts";
import { startControlPlane } from "../control-plane.ts";
import { quantile } from "../measure.ts";
import { addRecords, knownImages } from "../records.ts";

const FEW = 10_000;
const MANY = 1_000_000;
const PLANS = 500;

export const planAtScale: Case = {
  name: "plan-at-scale",
  what: "a plan, the 99th of 100",
  ours: "1,000,000 records",
  peer: "10,000 records",
  goal: { kind: "ratio", atMost: 2 },
  async prepare(bench) {
    await bench.lamina.baseOf(Image.debianSlim());
    const side = async (records: number) => {
      const { client, databaseUrl } = bench.owned.use(await startControlPlane(bench));
      const definitions = await knownImages({ client, databaseUrl });
      await addRecords(databaseUrl, records);
      return async () => {
        const milliseconds: number[] = [];
        for (let plan = 0; plan < PLANS; plan += 1) {
          const known = definitions[plan % definitions.length];
          if (known === undefined) throw new RangeError("There are no images.");
          // Every other one has a last step that nobody has made.
          const steps = plan % 2 === 0 ? known.steps : [...known.steps, { kind: "env" as const, variables: { NEW: randomUUID() } }];
          const startedAt = performance.now();
          await client.images.plan({ definition: { ...known, steps } });
          milliseconds.push(performance.now() - startedAt);
        }
        return quantile(milliseconds, 0.99);
      };
    };
    return { ours: await side(MANY), peer: await side(FEW) };
  },
};
