/** Local code with what it needs, and its tests run in the image: `lamina exec packages/sdk/examples/development.ts#development -- python -m pytest src/tests/ -v`. */
import { App, Image } from "lamina";
import { join } from "node:path";

// A relative local path starts at the working directory; this one is found from everywhere.
const project = join(import.meta.dirname, "development");

export const development = Image.debianSlim()
  .pipInstall("fastapi", "uvicorn", "sqlalchemy", "pytest")
  .copyLocalDir(join(project, "src"), "/app/src", { ignore: "**/__pycache__" }) // local source code
  .copyLocalFile(join(project, "requirements.txt"), "/app/requirements.txt")
  .runCommands("pip install -r /app/requirements.txt")
  .workdir("/app");

export const app = new App("development");

/** Runs the tests of the code that was copied. */
export const runTests = app.function({ image: development }, async () => {
  const { spawnSync } = await import("node:child_process");
  const { status, stdout, stderr } = spawnSync("python", ["-m", "pytest", "src/tests/", "-v"], { encoding: "utf8", cwd: "/app" });
  return { exitCode: status, stdout, stderr };
});
