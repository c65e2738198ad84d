/** What the author of an image asked for, in a few words a layer. */
import { type AnyImage, imageState, type ImageState } from "lamina";

/** One text for each layer, the base first. */
export function detailsOf(image: AnyImage): string[] {
  const { base, steps } = imageState(image);
  return [base.kind === "debianSlim" ? `Python ${base.pythonVersion}` : base.reference, ...steps.map(detailOf)];
}

function detailOf(step: ImageState["steps"][number]): string {
  switch (step.kind) {
    case "pipInstall":
    case "aptInstall":
      return step.arguments.join(" ");
    case "runCommands":
    case "dockerfileCommands":
    case "localInstructions":
      return step.commands.join("; ").replaceAll(/\s+/g, " ");
    case "localCopy":
      return `${step.given} to ${step.destination}`;
    case "localPackages":
      return step.paths.map(({ given }) => given).join(" ");
    case "localPoetry":
      return [step.pyproject.given, ...step.groups, ...step.extras].join(" ");
    case "addPythonPackages":
      return step.packages.map(({ name }) => name).join(" ");
    case "poetryInstallFromFile":
      return [...(step.groups ?? []), ...(step.extras ?? [])].join(" ");
    case "copyLocalFile":
    case "copyLocalDir":
      return step.destination;
    case "runFunction":
    case "localFunction":
      return step.name;
    case "env":
      return Object.keys(step.variables).join(" ");
    case "workdir":
      return step.path;
  }
}
