/** uv as it is mounted into the RUN of a step, and what all steps that install Python packages share. */
import { BYTE_CODE_MOUNT } from "./byte-code.ts";
import type { LoweredContext } from "./request.ts";

/** A directory in memory, gone with the container of the step. */
export const TEMPORARY = "/dev/lamina/tmp";

/** Those of ours: uv takes the best version that any index has then, which is pip's index rule. */
const UV_PIP_FLAGS = ["--system", "--break-system-packages", "--index-strategy unsafe-best-match"] as const;

/** The command that installs by uv. Of what the author of a step gives too, uv would take neither. */
export function uvPipInstall(given: readonly string[] = []): string {
  const names = new Set(given.map((argument) => argument.split("=", 1)[0]));
  return ["uv pip install", ...UV_PIP_FLAGS.filter((flag) => !names.has(flag.split(" ", 1)[0]))].join(" ");
}

/** The same with nothing given. */
export const UV_PIP_INSTALL = uvPipInstall();

/** The same for what uv does beside installing. */
export const UV_INDEX_STRATEGY = "export UV_INDEX_STRATEGY=unsafe-best-match";

const UV_CONTEXT = "lamina-uv";
const UV_DIRECTORY = "/dev/lamina/bin";
const UV_CACHE = "/dev/lamina/uv-cache";

export function uvContext(version: string): LoweredContext {
  return { name: UV_CONTEXT, kind: "uv", version };
}

export const UV_MOUNTS: readonly string[] = [
  `type=bind,from=${UV_CONTEXT},source=uv,target=${UV_DIRECTORY}/uv`,
  `type=cache,id=lamina-uv-cache,target=${UV_CACHE}`,
  BYTE_CODE_MOUNT,
  `type=tmpfs,target=${TEMPORARY}`,
];

export function needPython(method: string): string {
  return `command -v python3 >/dev/null || { echo 'This image has no Python: start from Image.debianSlim(), or install python3 before ${method}.'; exit 127; }`;
}

/** Zip archives, which wheels are, hold no time before 1980. */
export const SAME_BUILD_TIME = "export SOURCE_DATE_EPOCH=315532800";

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

/** uv with the Python that pip would be run by: the first on the PATH, of a virtual environment too. */
export const UV_SETUP: readonly string[] = [
  "export UV_PYTHON=$(command -v python3)",
  ...PIP_SETTINGS_FOR_UV,
  `export PATH="${UV_DIRECTORY}:$PATH" TMPDIR=${TEMPORARY}`,
  `export UV_CACHE_DIR=${UV_CACHE} UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never PYC_INVALIDATION_MODE=CHECKED_HASH`,
];
