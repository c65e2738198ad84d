import type { ResolvedStep } from "@lamina/ir";

/**
 * A step that installs Python packages, as its author wrote it, such as `pipInstall "numpy==99"`: what runs for it is ours, and of no use to them.
 * Undefined for other steps.
 */
export function methodCall(step: ResolvedStep | undefined): string | undefined {
  switch (step?.kind) {
    case "pipInstall": {
      const { findLinks, indexUrl, extraIndexUrl, pre } = step;
      return call(step.kind, step.arguments, { findLinks, indexUrl, extraIndexUrl, pre });
    }
    case "addPythonPackages":
      return call(
        step.kind,
        step.packages.map(({ name }) => name),
      );
    case "poetryInstallFromFile": {
      const { extras, groups } = step;
      return call(step.kind, [], { extras, groups });
    }
    default:
      return undefined;
  }
}

function call(method: string, args: readonly string[], options: Readonly<Record<string, unknown>> = {}): string {
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`]));
  return [method, ...args.map((argument) => JSON.stringify(argument)), ...(given.length === 0 ? [] : [`{ ${given.join(", ")} }`])].join(
    " ",
  );
}
