import { basePath } from "./base-image.ts";
import { binariesPath } from "./binaries.ts";
import { exists } from "./cache.ts";
import { runCommand } from "./command.ts";
import { isRoot, OWN_USER_NAMESPACE } from "./isolate.ts";
import { uvPath } from "./uv.ts";

/** What the machine has to bring. */
export interface Requirement {
  readonly name: string;
  /** What it is needed for. */
  readonly purpose: string;
  /** Whether nothing can be started without it; else it is needed for some images only. */
  readonly always: boolean;
  /** The Debian package that has it. */
  readonly debianPackage?: string;
  /** How to get it, as a sentence. */
  readonly advice: string;
  /** Where it is, or undefined when it is missing. */
  readonly found: string | undefined;
}

export interface RequirementsOptions {
  readonly cache: string;
  /** The version of the base that is made at first. */
  readonly python: string;
  readonly uv: string;
}

/**
 * What has to be on the machine for this user, and whether it is. What is only needed to make a thing that the cache
 * has is left out. Only built-in modules, so that it runs before any package is installed.
 */
export async function checkRequirements({ cache, python, uv }: RequirementsOptions): Promise<readonly Requirement[]> {
  const [servers = false, uvThere = false, base = false] = await Promise.all(
    [binariesPath(cache), uvPath({ cache, version: uv }), basePath({ cache, python })].map(async (path) => exists(await path)),
  );
  const wanted = [
    RUNC,
    SLIRP,
    ...(isRoot() ? [] : [UIDMAP, USER_NAMESPACES]),
    ...(servers ? [] : [GO]),
    ...(uvThere ? [] : [PYTHON, PIP]),
    base ? { ...MMDEBSTRAP, always: false } : MMDEBSTRAP,
  ];
  return Promise.all(wanted.map(async ({ probe, ...requirement }) => ({ ...requirement, found: await outputOf(probe) })));
}

type Wanted = Omit<Requirement, "found"> & {
  /** Prints something, at best where it is, and succeeds when it is there. */
  readonly probe: readonly [string, ...string[]];
};

const RUNC = debian("runc", { program: "runc", purpose: "to run the steps of a build, and containers" });
const SLIRP = debian("slirp4netns", { program: "slirp4netns", purpose: "to give functions a network" });
const UIDMAP = debian("uidmap", { program: "newuidmap", purpose: "to run BuildKit and containerd without root" });
const MMDEBSTRAP = debian("mmdebstrap", { program: "mmdebstrap", purpose: "to make bases where no base registry is reached" });
const PYTHON = debian("python3", { program: "python3", purpose: "to fetch uv, once" });

const PIP: Wanted = {
  ...debian("python3-pip", { program: "pip", purpose: "to fetch uv, once" }),
  probe: ["python3", "-m", "pip", "--version"],
};

const GO: Wanted = {
  name: "go",
  purpose: "to build the servers, once",
  always: true,
  advice: "Get one as new as infra/servers/go.mod says from https://go.dev/dl.",
  probe: ["go", "version"],
};

const USER_NAMESPACES: Wanted = {
  name: "user name spaces",
  purpose: "to run BuildKit and containerd without root",
  always: true,
  advice:
    "They take the package uidmap, ranges of this user in /etc/subuid and /etc/subgid " +
    "(usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER), util-linux 2.38 or newer, and a kernel that lets users make them.",
  probe: ["unshare", ...OWN_USER_NAMESPACE, "echo", "allowed, with subordinate ids"],
};

function debian(debianPackage: string, { program, purpose }: { readonly program: string; readonly purpose: string }): Wanted {
  const advice = `Install it with: apt-get install ${debianPackage}.`;
  return { name: program, purpose, always: true, debianPackage, advice, probe: ["sh", "-c", `command -v ${program}`] };
}

async function outputOf([file, ...args]: Wanted["probe"]): Promise<string | undefined> {
  return runCommand(file, args).then(
    (output) => output.trim(),
    () => undefined,
  );
}
