/** Configuration: variables of the image, and a file that differs from place to place. */
import { Image } from "lamina";
import { join } from "node:path";

// A relative local path starts at the working directory; this one is found from everywhere.
const settings = join(import.meta.dirname, ".env.production");

export const config = Image.debianSlim()
  .pipInstall("python-dotenv", "pydantic")
  .env({ ENVIRONMENT: "production", LOG_LEVEL: "INFO", API_TIMEOUT: "30" })
  .copyLocalFile(settings, "/app/.env");
