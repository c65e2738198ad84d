/** Functions for cases, deployed, each in an app of its own. */
import { App, type FunctionOptions, Image, type RemoteFunction } from "lamina";
import type { Bench } from "../bench.ts";

export type Work = {
  readonly echo: (payload: object) => object;
  readonly nothing: () => null;
  readonly double: (number: number) => number;
};

/** What they run in. */
export const functionImage = Image.debianSlim().env({ LAMINA_BENCH: "functions" });

/** Deploys a function of `work.py`; its app is stopped after the case. */
export async function deployed<Name extends keyof Work>(
  { lamina, owned }: Bench,
  name: Name,
  options: Omit<FunctionOptions, "image" | "name">,
): Promise<RemoteFunction<Work[Name]>> {
  const app = new App(`bench-${name}`);
  const work = app.function<Work[Name]>({ image: functionImage, python: `work:${name}`, ...options });
  await app.deploy();
  owned.defer(() => lamina.client.apps.stop(app.name));
  return work;
}
