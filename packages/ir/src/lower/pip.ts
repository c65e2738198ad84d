import type { ResolvedStep } from "../operation.ts";
import { COMPILE_BYTE_CODE } from "./byte-code.ts";
import { divideArguments, pipArguments, referencesIn, replaceReferences, uvUnderstands } from "./pip-arguments.ts";
import { delimiterFor, shellArgument } from "./quoting.ts";
import type { LoweredStep, Surroundings } from "./request.ts";
import { secretAlias } from "./reserved.ts";
import { type SecretVariable, runInstruction } from "./run.ts";
import { asRoot } from "./user.ts";
import { needPython, SAME_BUILD_TIME, UV_MOUNTS, UV_SETUP, uvContext, uvPipInstall } from "./uv.ts";

const PIP_CACHE = "/dev/lamina/pip-cache";

/**
 * Python packages, with pip's flags among them, by uv; by pip where uv lacks a flag. uv is mounted
 * for this RUN alone. Nothing in an argument is expanded but `${NAME}` of a declared secret, and
 * that by uv or pip itself, so that a value is never an argument of a process.
 */
export function lowerPipInstall(step: Extract<ResolvedStep, { kind: "pipInstall" }>, { uv, user, gpus }: Surroundings): LoweredStep {
  const secrets = step.secrets ?? [];
  const args = pipArguments(step);
  const { words, lines } = divideArguments(args);

  const installer = installerFor(args);
  const run = runInstruction({
    commands: [[installer.command, ...words.map(shellArgument), ...requirements(lines, secrets)].join(" ")],
    setup: [needPython("pipInstall"), ...installer.setup],
    finish: installer.finish,
    shell: "sh",
    gpu: step.gpu,
    gpus,
    secrets: [...secrets.map((id) => ({ id, variable: id })), ...aliases(lines, secrets)],
    mounts: installer.mounts,
  });
  return {
    instructions: asRoot(user, [run]),
    contexts: installer === PIP ? [] : [uvContext(uv)],
    secrets,
  };
}

interface Installer {
  readonly command: string;
  readonly setup: readonly string[];
  readonly finish: readonly string[];
  readonly mounts: readonly string[];
}

function installerFor(args: readonly string[]): Installer {
  if (!uvUnderstands(args)) return PIP;
  const uv: Installer = { command: uvPipInstall(args), setup: UV_SETUP, finish: COMPILE_BYTE_CODE, mounts: UV_MOUNTS };
  if (args.some((argument) => NO_BYTE_CODE.has(argument))) return { ...uv, finish: [] };
  if (!args.some((argument) => ELSEWHERE.test(argument))) return uv;
  // Packages that do not go to the Python of the image are compiled by uv, which knows where they are.
  return { ...uv, setup: [...UV_SETUP, "export UV_COMPILE_BYTECODE=1"], finish: [] };
}

/** Flags that say where packages go; as a letter, possibly after letters that take no value. */
const ELSEWHERE = /^(?:--(?:target|prefix|python)(?:=|$)|-[Uqv]*[tp])/;

/** By these flags people do without. */
const NO_BYTE_CODE: ReadonlySet<string> = new Set(["--no-compile", "--no-compile-bytecode"]);

/** pip makes byte code that names the hash of its source when SOURCE_DATE_EPOCH is set. */
const PIP: Installer = {
  command: "python3 -m pip install",
  setup: [
    "python3 -m pip --version >/dev/null 2>&1 || { echo 'This image has no pip, which a flag of this pipInstall needs: install python3-pip first.'; exit 127; }",
    `export PIP_CACHE_DIR=${PIP_CACHE} PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1`,
    SAME_BUILD_TIME,
  ],
  finish: [],
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
