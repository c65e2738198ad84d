import type { ResolvedStep } from "../operation.ts";
import { COMPILE_BYTE_CODE } from "./byte-code.ts";
import { shellArgument } from "./quoting.ts";
import type { LoweredStep, Surroundings } from "./request.ts";
import { runInstruction } from "./run.ts";
import { asRoot } from "./user.ts";
import { needPython, SAME_BUILD_TIME, TEMPORARY, UV_INDEX_STRATEGY, UV_MOUNTS, UV_PIP_INSTALL, UV_SETUP, uvContext } from "./uv.ts";

type AddPythonPackages = Extract<ResolvedStep, { kind: "addPythonPackages" }>;

const PACKAGES = "/dev/lamina/packages";
const WHEELS = `${TEMPORARY}/wheels`;

/**
 * Local Python packages with what they depend on. Projects and source distributions become wheels first, so that uv's
 * cache never takes an older state of a project for this one. Their files are mounted: a build may write
 * among them, and nothing of that is kept.
 */
export function lowerAddPythonPackages(step: AddPythonPackages, { context, uv, user, gpus }: Surroundings): LoweredStep {
  const { packages, gpu, secrets = [] } = step;
  const places = packages.map(({ kind, name }, index) => ({ kind, number: index + 1, path: `${PACKAGES}/${index + 1}/${name}` }));
  const ofKind = (...kinds: string[]) => places.filter(({ kind }) => kinds.includes(kind));
  const wheels = [
    ...ofKind("wheel").map(({ path }) => shellArgument(path)),
    ...ofKind("sdist", "project").map(({ number }) => `${WHEELS}/${number}/*.whl`),
  ];
  const run = runInstruction({
    commands: [
      ...ofKind("sdist", "project").map(
        ({ path, number }) => `uv build --wheel --no-sources --out-dir ${WHEELS}/${number} ${shellArgument(path)}`,
      ),
      ...(wheels.length === 0 ? [] : [`${UV_PIP_INSTALL} ${wheels.join(" ")}`]),
      ...ofKind("module").map(({ path }) => `lamina_module ${shellArgument(path)}`),
    ],
    setup: [
      needPython("addPythonPackages"),
      ...UV_SETUP,
      UV_INDEX_STRATEGY,
      SAME_BUILD_TIME,
      // uv takes a wheel with the name and the time of an installed one for the same.
      ...ofKind("wheel").map(({ path }) => `touch ${shellArgument(path)}`),
      ...(ofKind("module").length === 0 ? [] : ADD_MODULE),
    ],
    finish: COMPILE_BYTE_CODE,
    shell: "sh",
    gpu,
    gpus,
    secrets: secrets.map((id) => ({ id, variable: id })),
    mounts: [...UV_MOUNTS, `type=bind,from=${context},source=t,target=${PACKAGES},rw`],
  });
  return {
    instructions: asRoot(user, [run]),
    contexts: [uvContext(uv), { name: context, kind: "directory", tree: step.tree }],
    secrets,
  };
}

/** A directory that is a package and no project takes the place of one of its name among the installed packages. */
const ADD_MODULE: readonly string[] = [
  "lamina_module() {",
  `  lamina_site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && lamina_place=$lamina_site/\${1##*/} &&`,
  '  mkdir -p "$lamina_site" && rm -rf "$lamina_place" && cp -R "$1" "$lamina_place" && chmod -R u+rwX,go+rX,go-w "$lamina_place"',
  "}",
];
