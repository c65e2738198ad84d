/** A project whose dependencies Poetry manages, and its package beside them. */
import { App, Image } from "lamina";
import { join } from "node:path";

/** Where Poetry's own installer is; EXAMPLE_POETRY_INSTALLER names another place. */
const installer = process.env["EXAMPLE_POETRY_INSTALLER"] ?? "https://install.python-poetry.org";

// A relative local path starts at the working directory; these are found from everywhere.
const project = join(import.meta.dirname, "poetry");

export const poetry = Image.debianSlim()
  .aptInstall("curl")
  // Only for who wants Poetry in the image: poetryInstallFromFile brings its own, and leaves nothing of it.
  .runCommands(`curl -sSL ${installer} | python3 -`, 'export PATH="/root/.local/bin:$PATH"')
  .poetryInstallFromFile(join(project, "pyproject.toml"), join(project, "poetry.lock"))
  .copyLocalDir(join(project, "my_package"), "/app/my_package")
  .workdir("/app");

export const app = new App("poetry-app");

/** Runs the package with the dependencies that Poetry locked. It is in `poetry_app.py`. */
export const processWithPoetryDeps = app.function<() => string>({ image: poetry, python: "poetry_app:process_with_poetry_deps" });
