/**
 * The shell script of a RUN: all commands in one shell, each command's own status checked, the
 * first that fails named on the last line of output. What a command means is not changed: traps,
 * `set -e`, `exec >file`, functions and `cd` hold for the commands after it.
 */
import { shellArgument, shellWord } from "./quoting.ts";
import { FOREIGN_VARIABLES } from "./reserved.ts";
import { secretSearch } from "./secret-search.ts";

/** Where the builder's CA bundle is mounted. It lies on the container's own /dev, so no layer keeps a trace of it. */
export const CA_FILE = "/dev/lamina/ca.pem";

const CA_VARIABLES = ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"];

/** Of a command, in bytes: enough to know it by. BuildKit drops lines of a step that prints too much at once. */
const LONGEST_SHOWN = 2_000;

export interface Script {
  readonly commands: readonly string[];
  /** Lines of our own that run before the first command, in its shell; one that exits fails the first command. */
  readonly setup?: readonly string[];
  /** Lines of our own that run after the last command, in its shell. */
  readonly finish?: readonly string[];
  /** Variables whose values must not stay in what the commands changed. */
  readonly secretVariables?: readonly string[];
  /** Whether secrets are mounted as files too, which are not part of the image. */
  readonly hasSecretFiles?: boolean;
  /** The program that runs each command as a file, with its arguments; without it the script's shell runs them. */
  readonly interpreter?: readonly string[];
}

/** Writes the script. It runs under any POSIX shell, whatever options that shell was started with. */
export function scriptLines({
  commands,
  setup = [],
  finish = [],
  secretVariables = [],
  interpreter,
  hasSecretFiles = false,
}: Script): string[] {
  const count = commands.length;
  const run = interpreter === undefined ? "eval" : "lamina_run";
  const [first, ...rest] = commands.map((_, index) => `lamina_begin ${index + 1}; ${run} "$lamina_${index + 1}"; lamina_check "$?"`);
  const firstLines = setup.length === 0 ? [first] : ["lamina_begin 1", ...setup, `${run} "$lamina_1"; lamina_check "$?"`];
  return [
    ...commands.map((command, index) => `lamina_${index + 1}=${shellWord(command)}`),
    `lamina_begin() { echo "$1" >/dev/shm/lamina; eval "printf '[%s/${count}] %.${LONGEST_SHOWN}s\\n' $1 \\"\\$lamina_$1\\""; }`,
    `lamina_check() { [ "$1" = 0 ] || exit "$1"; }`,
    ...(interpreter === undefined ? [] : [runFile(interpreter)]),
    "case $- in *e*) lamina_e=-e ;; *) lamina_e=+e ;; esac",
    "exec 2>&1; set +e",
    `unset ${FOREIGN_VARIABLES.join(" ")}`,
    `[ ! -s ${CA_FILE} ] || export ${CA_VARIABLES.map((name) => `${name}=${CA_FILE}`).join(" ")}`,
    ...(secretVariables.length === 0 ? [] : secretSearch(secretVariables, hasSecretFiles)),
    "( set $lamina_e",
    ...firstLines.flatMap((line) => (line === undefined ? [] : [line])),
    ...rest,
    ...finish,
    ")",
    "lamina_s=$?; read -r lamina_i </dev/shm/lamina",
    `[ "$lamina_s/$lamina_i" = 0/${count} ] && ${secretVariables.length === 0 ? "exit 0" : '{ lamina_search; exit "$?"; }'}`,
    `[ "$lamina_s" != 0 ] || { lamina_s=1; echo "lamina: the shell ended before command ${count} of ${count}"; }`,
    `eval "printf 'lamina: command %s of ${count}: exit status %s: %.${LONGEST_SHOWN}s\\n' $lamina_i $lamina_s \\"\\$lamina_$lamina_i\\""`,
    "exit $lamina_s",
  ];
}

/** The file lies in memory, and is gone with the container of the step. */
const COMMAND_FILE = "/dev/shm/lamina-program";

function runFile(interpreter: readonly string[]): string {
  const words = [...interpreter, COMMAND_FILE].map(shellArgument).join(" ");
  return `lamina_run() { printf '%s\\n' "$1" >${COMMAND_FILE} && ${words}; }`;
}
