import { z } from "zod";

/** The addresses of the test run's servers and their directory; see `EmbeddedServers` of `@lamina/servers`. */
export const addressesSchema = z.object({
  postgres: z.object({ url: z.string() }),
  nats: z.object({ url: z.string(), user: z.string(), password: z.string() }),
  registry: z.object({ host: z.string(), user: z.string(), password: z.string(), insecure: z.boolean().optional() }),
  buildkit: z.object({ address: z.string() }),
  containerd: z.object({ address: z.string(), tools: z.string() }),
  binaries: z.string(),
  directory: z.string(),
});
export type TestServers = z.infer<typeof addressesSchema>;
