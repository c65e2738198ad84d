/** Builds an image by the SDK for TypeScript, on the platform that the environment names, and prints the result: `build.ts DIRECTORY TEXT`. */
import { Image } from "lamina";

const [directory = "", text = ""] = process.argv.slice(2);
const image = Image.debianSlim({ pythonVersion: "3.13" })
  .env({ GREETING: text })
  .copyLocalDir(directory, "/app", { ignore: "*.log" })
  .runCommands('echo "$GREETING" > /greeting', "cat /app/a")
  .workdir("/app");
process.stdout.write(JSON.stringify(await image.build()));
