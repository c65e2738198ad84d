/**
 * The program that the control plane asks for a base when no base registry can be reached: it is given a Python version and
 * where to push, as in `3.13 127.0.0.1:5000/bases/python:3.13-slim`. Credentials come from REGISTRY_USERNAME and
 * REGISTRY_PASSWORD. Prints the pushed reference by digest on stdout, what is being done on stderr.
 */
import { publishBase } from "@lamina/servers";
import { z } from "zod";

const Environment = z.object({ REGISTRY_USERNAME: z.string(), REGISTRY_PASSWORD: z.string(), LAMINA_CACHE: z.string() });

const [python, target] = process.argv.slice(2);
if (python === undefined || target === undefined) {
  console.error("usage: make-base PYTHON TARGET");
  process.exit(2);
}
try {
  const environment = Environment.parse(process.env);
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
