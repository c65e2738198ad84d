/** Finds what cannot be right in steps that install local Python packages or a Poetry project. */
import type { BuilderVersion } from "./builder-version.ts";
import type { Fault } from "./definition-error.ts";
import type { Definition, ResolvedDefinition } from "./operation.ts";
import { moduleNameProblem, sourceProject, wheelFault, wheelName, type WheelTarget } from "./python-package.ts";

type Beginning = Pick<Definition | ResolvedDefinition, "base" | "platform">;
type Step = (Definition | ResolvedDefinition)["steps"][number];
type LocalPackage = Extract<Step, { kind: "addPythonPackages" }>["packages"][number];

/** The first fault of a step, by what the definition says of its base. */
export function pythonFault(step: Step, definition: Beginning, { poetry }: BuilderVersion): Fault | undefined {
  const target: WheelTarget = { debianPython: debianPython(definition), platform: definition.platform };
  switch (step.kind) {
    case "addPythonPackages":
      return step.packages.map((one) => packageFault(one, target)).find((fault) => fault !== undefined) ?? twiceFault(step.packages);
    case "poetryInstallFromFile":
      if (target.debianPython === undefined || target.debianPython >= poetry.oldestPython) return undefined;
      return {
        reason: "unsupported-python",
        message: `Poetry ${poetry.version} needs Python 3.${poetry.oldestPython} or newer, and the image has 3.${target.debianPython}`,
      };
    default:
      return undefined;
  }
}

function debianPython({ base }: Beginning): number | undefined {
  return base.kind === "debianSlim" ? Number(base.pythonVersion.split(".")[1]) : undefined;
}

function packageFault({ kind, name }: LocalPackage, target: WheelTarget): Fault | undefined {
  if (name === "." || name === ".." || name.includes("/")) {
    return { reason: "invalid-package", message: `${JSON.stringify(name)} is no name of a file or directory` };
  }
  if (kind === "wheel") return namedWheelFault(name, target);
  if (kind === "sdist" && sourceProject(name) === undefined) {
    const message = `"${name}" is no name of a source distribution: it is like project-1.0.tar.gz`;
    return { reason: "invalid-package", message };
  }
  const problem = kind === "module" ? moduleNameProblem(name) : undefined;
  return problem === undefined ? undefined : { reason: "invalid-package", message: problem };
}

function namedWheelFault(name: string, target: WheelTarget): Fault | undefined {
  const wheel = wheelName(name);
  if (wheel === undefined) {
    const message = `"${name}" is no name of a wheel: it is like project-1.0-py3-none-any.whl, and says what the wheel is for`;
    return { reason: "invalid-package", message };
  }
  const fault = wheelFault(wheel, target);
  return fault === undefined ? undefined : { ...fault, message: `"${name}" ${fault.message}` };
}

function twiceFault(packages: readonly LocalPackage[]): Fault | undefined {
  const seen = new Map<string, string>();
  for (const { kind, name } of packages) {
    const project = projectOf(kind, name);
    const other = project === undefined ? undefined : seen.get(project);
    if (other !== undefined)
      return { reason: "invalid-package", message: `"${other}" and "${name}" are the same package: give one of them` };
    if (project !== undefined) seen.set(project, name);
  }
  return undefined;
}

/** What the name tells; a project says its own name while it is built. */
function projectOf(kind: LocalPackage["kind"], name: string): string | undefined {
  switch (kind) {
    case "wheel":
      return wheelName(name)?.project;
    case "sdist":
      return sourceProject(name);
    case "module":
      return name;
    case "project":
      return undefined;
  }
}
