/**
 * Makes and pushes a base: `node make-base.ts PYTHON TARGET`, as in `3.13 127.0.0.1:5000/bases/python:3.13-slim`.
 * Credentials come from REGISTRY_USERNAME and REGISTRY_PASSWORD, the cache's root from LAMINA_CACHE. Prints
 * the pushed reference by digest on stdout, what is being done on stderr.
 */
import { z } from "zod";
import { publishBase } from "./bases.ts";

const environmentSchema = z.object({ REGISTRY_USERNAME: z.string(), REGISTRY_PASSWORD: z.string(), LAMINA_CACHE: z.string() });

const [python, target] = process.argv.slice(2);
if (python === undefined || target === undefined) {
  console.error("usage: make-base PYTHON TARGET");
  process.exit(2);
}
try {
  const environment = environmentSchema.parse(process.env);
  const reference = await publishBase({
    python,
    target,
    credentials: { user: environment.REGISTRY_USERNAME, password: environment.REGISTRY_PASSWORD },
    cache: environment.LAMINA_CACHE,
    report: (line) => console.error(line),
  });
  console.log(reference);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
