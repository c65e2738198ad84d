import type { ResolvedStep } from "../operation.ts";
import { shellArgument } from "./quoting.ts";
import type { LoweredStep, Surroundings } from "./request.ts";
import { runInstruction } from "./run.ts";
import { CA_FILE } from "./script.ts";
import { asRoot } from "./user.ts";

const CACHE = "/dev/lamina/apt-cache";
const LISTS = "/dev/lamina/apt-lists";
const CONFIGURATION = "/dev/shm/lamina-apt.conf";

/**
 * Debian packages, with apt's flags among them; with `--purge` the packages are removed with their
 * configuration. Archives and lists are kept in cache mounts at places of their own, where the
 * docker-clean hook of Debian's images does not look and where no layer sees them.
 */
export function lowerAptInstall(step: Extract<ResolvedStep, { kind: "aptInstall" }>, { user, gpus }: Surroundings): LoweredStep {
  const { gpu, secrets = [] } = step;
  const words = step.arguments.map(shellArgument).join(" ");
  const commands = step.arguments.includes("--purge")
    ? [`apt-get remove --yes ${words}`]
    : ["apt-get update", `apt-get install --yes --no-install-recommends ${words}`];
  const run = runInstruction({
    commands,
    setup: SETUP,
    shell: "sh",
    gpu,
    gpus,
    secrets: secrets.map((id) => ({ id, variable: id })),
    mounts: [
      `type=cache,id=lamina-apt-cache,target=${CACHE},sharing=locked`,
      `type=cache,id=lamina-apt-lists,target=${LISTS},sharing=locked`,
    ],
  });
  return { instructions: asRoot(user, [run]), secrets };
}

const SETUP = [
  "command -v apt-get >/dev/null || { echo 'This image has no apt-get: aptInstall needs Debian or one of its kin as the base.'; exit 127; }",
  "export DEBIAN_FRONTEND=noninteractive",
  `export APT_CONFIG=${CONFIGURATION}`,
  `echo 'Dir::Cache "${CACHE}"; Dir::State::Lists "${LISTS}"; APT::Keep-Downloaded-Packages "true";' >"$APT_CONFIG"`,
  `[ ! -s ${CA_FILE} ] || echo 'Acquire::https::CAInfo "${CA_FILE}";' >>"$APT_CONFIG"`,
];
