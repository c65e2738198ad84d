import type { ResolvedStep } from "../operation.ts";
import { COMPILE_BYTE_CODE } from "./byte-code.ts";
import { shellArgument } from "./quoting.ts";
import type { LoweredStep, Surroundings } from "./request.ts";
import { runInstruction } from "./run.ts";
import { asRoot } from "./user.ts";
import { needPython, SAME_BUILD_TIME, TEMPORARY, UV_INDEX_STRATEGY, UV_MOUNTS, UV_PIP_INSTALL, UV_SETUP, uvContext } from "./uv.ts";

type PoetryInstall = Extract<ResolvedStep, { kind: "poetryInstallFromFile" }>;

const PROJECT = "/dev/lamina/project";
const REQUIREMENTS = `${TEMPORARY}/requirements.txt`;

/**
 * The dependencies of a Poetry project, not the project itself. Poetry, in an environment of uv's cache, says what is
 * locked, or locks it first; uv installs just that, checked by the hashes of the lock.
 */
export function lowerPoetryInstall(step: PoetryInstall, { context, uv, poetry, user, gpus }: Surroundings): LoweredStep {
  const { gpu, secrets = [], extras = [], groups = [] } = step;
  const options = [...groups.map((name) => `--with=${shellArgument(name)}`), ...extras.map((name) => `--extras=${shellArgument(name)}`)];
  const tool = ["uv tool run --quiet", `--from poetry==${poetry.version}`, ...poetry.plugins.map((plugin) => `--with ${plugin}`)].join(" ");
  const run = runInstruction({
    commands: [
      ["poetry export --with-credentials", ...options, `--output=${REQUIREMENTS}`].join(" "),
      `${UV_PIP_INSTALL} --no-deps -r ${REQUIREMENTS}`,
    ],
    setup: [
      needPython("poetryInstallFromFile"),
      `python3 -c 'import sys; sys.exit(sys.version_info < (3, ${poetry.oldestPython}))' || { echo 'Poetry ${poetry.version} needs Python 3.${poetry.oldestPython} or newer, and this image has an older one.'; exit 127; }`,
      ...UV_SETUP,
      SAME_BUILD_TIME,
      UV_INDEX_STRATEGY,
      `export POETRY_CACHE_DIR=${TEMPORARY}/poetry POETRY_CONFIG_DIR=${TEMPORARY}/poetry-config POETRY_VIRTUALENVS_CREATE=false POETRY_KEYRING_ENABLED=false`,
      `poetry() { ${tool} poetry --directory=${PROJECT} --no-interaction --no-ansi "$@"; }`,
      ...prepare(`${tool} python`),
    ],
    finish: COMPILE_BYTE_CODE,
    shell: "sh",
    gpu,
    gpus,
    secrets: secrets.map((id) => ({ id, variable: id })),
    mounts: [...UV_MOUNTS, `type=bind,from=${context},source=t,target=${PROJECT},rw`],
  });
  return {
    instructions: asRoot(user, [run]),
    contexts: [uvContext(uv), { name: context, kind: "directory", tree: step.tree }],
    secrets,
  };
}

/**
 * What is exported for another Python than the project allows is nothing at all, without a word. Poetry reads the file
 * of a license, which is not sent. And where it has to choose versions, it asks the index of the image's settings, by
 * the standard interface, which every mirror has.
 */
function prepare(python: string): string[] {
  return `
lamina_index=$(${python} -I -c '
import os, pathlib, platform, sys
from poetry.core.constraints.version import Version
from poetry.core.factory import Factory
from poetry.core.utils._compat import tomllib
from poetry.repositories.pypi_repository import PyPiRepository
root = pathlib.Path("${PROJECT}")
license = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {}).get("license")
if isinstance(license, dict) and "file" in license and (root / license["file"]).resolve().is_relative_to(root):
    (root / license["file"]).parent.mkdir(parents=True, exist_ok=True)
    (root / license["file"]).touch()
project = Factory().create_poetry(root).package
if not project.python_constraint.allows(Version.parse(platform.python_version())):
    sys.exit("The project is for Python %s, and this image has %s." % (project.python_versions, platform.python_version()))
print(os.environ.get("UV_INDEX_URL") or PyPiRepository().url)
') || exit 1
export POETRY_PYPI_MIRROR_URL="\${POETRY_PYPI_MIRROR_URL:-$lamina_index}"`
    .trim()
    .split("\n");
}
