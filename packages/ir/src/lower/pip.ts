import type { ResolvedStep } from "../operation.ts";
import { divideArguments, pipArguments, referencesIn, replaceReferences, uvUnderstands } from "./pip-arguments.ts";
import { delimiterFor, shellArgument } from "./quoting.ts";
import type { LoweredStep } from "./request.ts";
import { secretAlias } from "./reserved.ts";
import { type SecretVariable, runInstruction } from "./run.ts";
import { asRoot } from "./user.ts";

const UV_CONTEXT = "lamina-uv";
const UV_DIRECTORY = "/dev/lamina/bin";
const UV_CACHE = "/dev/lamina/uv-cache";
const UV_TEMPORARY = "/dev/lamina/tmp";
const PIP_CACHE = "/dev/lamina/pip-cache";

export interface PipSurroundings {
  readonly uv: string;
  readonly user: string | undefined;
}

/**
 * Python packages, with pip's flags among them, by uv; by pip where uv lacks a flag. uv is mounted
 * for this RUN alone. Nothing in an argument is expanded but `${NAME}` of a declared secret, and
 * that by uv or pip itself, so that a value is never an argument of a process.
 */
export function lowerPipInstall(step: Extract<ResolvedStep, { kind: "pipInstall" }>, { uv, user }: PipSurroundings): LoweredStep {
  const secrets = step.secrets ?? [];
  const args = pipArguments(step);
  const { words, lines } = divideArguments(args);

  const installer = uvUnderstands(args) ? UV : PIP;
  const run = runInstruction({
    commands: [[installer.command, ...words.map(shellArgument), ...requirements(lines, secrets)].join(" ")],
    setup: [NEED_PYTHON, ...installer.setup],
    shell: "sh",
    gpu: step.gpu,
    secrets: [...secrets.map((id) => ({ id, variable: id })), ...aliases(lines, secrets)],
    mounts: installer.mounts,
  });
  return {
    instructions: asRoot(user, [run]),
    contexts: installer === UV ? [{ name: UV_CONTEXT, kind: "uv", version: uv }] : [],
    secrets,
  };
}

const NEED_PYTHON =
  "command -v python3 >/dev/null || { echo 'This image has no Python: start from Image.debianSlim(), or install python3 before pipInstall.'; exit 127; }";

interface Installer {
  readonly command: string;
  readonly setup: readonly string[];
  readonly mounts: readonly string[];
}

/** The image may say in pip's settings, by file or environment, where packages come from. uv does not read them. */
const PIP_SETTINGS_FOR_UV = String.raw`
eval "$(python3 -I -c '
import configparser, os, shlex, sys
files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf", sys.prefix + "/pip.conf", os.environ.get("PIP_CONFIG_FILE", "")]
settings = configparser.RawConfigParser()
settings.read(os.path.expanduser(file) for file in files)
for name, joint in ("INDEX_URL", " "), ("EXTRA_INDEX_URL", " "), ("FIND_LINKS", ","), ("TRUSTED_HOST", " "):
    key = name.lower().replace("_", "-")
    value = os.environ.get("PIP_" + name) or settings.get("install", key, fallback="") or settings.get("global", key, fallback="")
    variable = "UV_" + name.replace("TRUSTED", "INSECURE")
    if value: print("export %s=%s" % (variable, shlex.quote(joint.join(value.split()))))
')"`
  .trim()
  .split("\n");

/**
 * uv with pip's index rules, which take the best version that any index has, and with the Python that pip would be run
 * by: the first on the PATH, of a virtual environment too.
 */
const UV: Installer = {
  command: "uv pip install --system --break-system-packages --compile-bytecode --index-strategy unsafe-best-match",
  setup: [
    "export UV_PYTHON=$(command -v python3)",
    ...PIP_SETTINGS_FOR_UV,
    `export PATH="${UV_DIRECTORY}:$PATH" TMPDIR=${UV_TEMPORARY}`,
    `export UV_CACHE_DIR=${UV_CACHE} UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never PYC_INVALIDATION_MODE=CHECKED_HASH`,
  ],
  mounts: [
    `type=bind,from=${UV_CONTEXT},source=uv,target=${UV_DIRECTORY}/uv`,
    `type=cache,id=lamina-uv-cache,target=${UV_CACHE}`,
    `type=tmpfs,target=${UV_TEMPORARY}`,
  ],
};

/** pip makes byte code that names the hash of its source when SOURCE_DATE_EPOCH is set; zip archives hold no time before 1980. */
const PIP: Installer = {
  command: "python3 -m pip install",
  setup: [
    "python3 -m pip --version >/dev/null 2>&1 || { echo 'This image has no pip, which a flag of this pipInstall needs: install python3-pip first.'; exit 127; }",
    `export PIP_CACHE_DIR=${PIP_CACHE} PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1`,
    "export SOURCE_DATE_EPOCH=315532800",
  ],
  mounts: [`type=cache,id=lamina-pip-cache,target=${PIP_CACHE}`],
};

/** pip and uv expand upper-case names only: others get an alias. */
function aliases(lines: readonly string[], secrets: readonly string[]): SecretVariable[] {
  const used = new Set(lines.flatMap(referencesIn));
  return secrets.filter((name) => used.has(name) && !EXPANDABLE.test(name)).map((id) => ({ id, variable: aliasOf(id, secrets) }));
}

function requirements(lines: readonly string[], secrets: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const text = lines
    .map((line) => replaceReferences(line, (name) => `\${${EXPANDABLE.test(name) ? name : aliasOf(name, secrets)}}`))
    .join("\n");
  const delimiter = delimiterFor(text, "REQUIREMENTS");
  return [`-r /dev/stdin <<'${delimiter}'\n${text}\n${delimiter}`];
}

function aliasOf(name: string, secrets: readonly string[]): string {
  return secretAlias(secrets.indexOf(name) + 1);
}

const EXPANDABLE = /^[A-Z0-9_]+$/;
