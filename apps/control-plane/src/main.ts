import { createLogger, runService } from "@lamina/service";
import { once } from "node:events";
import { configFrom } from "./config.ts";
import { startControlPlane } from "./control-plane.ts";
import { createServer } from "./server.ts";

runService(async (signal) => {
  const config = configFrom(process.env);
  const { client, worker } = config.tokens;
  const secrets = [config.databaseUrl, config.nats.password ?? "", config.registry.credentials?.password ?? "", client, worker];
  const logger = createLogger({ name: "control-plane", secrets });
  const controlPlane = await startControlPlane(config, logger);
  const server = await createServer(controlPlane, logger);
  const address = await server.listen(config.listen);
  logger.info({ address }, "listening");
  if (!signal.aborted) await once(signal, "abort");
  await server.close();
  await controlPlane.stop();
});
