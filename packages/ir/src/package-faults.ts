/** What is wrong with the names of packages, and with where they are to come from, as far as that can be known before they are looked for. */
import type { Fault } from "./definition-error.ts";
import {
  indexesIn,
  isSwitch,
  mayTakeValue,
  pipArguments,
  referencesIn,
  replaceReferences,
  requirementsIn,
  wantsValue,
} from "./lower/pip-arguments.ts";
import { requirementFault } from "./requirement.ts";

/** What holds a reference is known only while building. */
export function requirementsFault(step: Parameters<typeof pipArguments>[0]): Fault | undefined {
  const flags = flagsFault(step.arguments);
  if (flags !== undefined) return flags;
  for (const requirement of requirementsIn(step.arguments)) {
    const fault = referencesIn(requirement).length > 0 ? undefined : requirementFault(requirement);
    if (fault !== undefined) {
      const message = `${JSON.stringify(requirement)} is not a requirement such as "numpy>=1.26": ${fault}`;
      return { code: "invalid-requirement", message };
    }
  }
  const index = indexesIn(pipArguments(step)).find((location) => !isIndex(location));
  if (index === undefined) return undefined;
  const message = `${JSON.stringify(index)} is not the URL of a package index, such as "https://index.example/simple"`;
  return { code: "invalid-index-url", message };
}

function flagsFault(args: readonly string[]): Fault | undefined {
  if (args.length > 0 && args.every(isSwitch)) return { code: "empty-arguments", message: "there is no package to install" };
  const joined = args.find((argument, index) => FLAG_AND_VALUE.test(argument) && !mayTakeValue(args[index - 1] ?? ""));
  if (joined !== undefined) {
    return { code: "invalid-requirement", message: `${JSON.stringify(joined)} is a flag and its value in one: give two arguments` };
  }
  const last = args.at(-1) ?? "";
  return wantsValue(last) ? { code: "invalid-requirement", message: `${last} has no value, which is the argument after it` } : undefined;
}

const FLAG_AND_VALUE = /^(?:-[A-Za-z]|--[a-z-]+)\s/;

/** Flags may have values of any kind; a name has no white space. */
export function packageNameFault(args: readonly string[]): Fault | undefined {
  const wrong = args.find((argument, index) => /\s/.test(argument) && !argument.startsWith("-") && !args[index - 1]?.startsWith("-"));
  return wrong === undefined
    ? undefined
    : {
        code: "invalid-requirement",
        message: `${JSON.stringify(wrong)} is not the name of a package: give each as an argument of its own`,
      };
}

/** A URL, or a directory of the image that is laid out like one. */
function isIndex(location: string): boolean {
  if (/^(?:\$\{|\.{0,2}\/)/.test(location)) return true;
  const text = replaceReferences(location, () => "1");
  return /^(?:https?|file):\/\//i.test(text) && URL.canParse(text);
}
