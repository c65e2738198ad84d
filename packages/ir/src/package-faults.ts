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
  wrongFlag,
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
      return { reason: "invalid-requirement", message };
    }
  }
  const index = indexesIn(pipArguments(step)).find((location) => !isIndex(location));
  if (index === undefined) return undefined;
  const message = `${JSON.stringify(index)} is not the URL of a package index, such as "https://index.example/simple"`;
  return { reason: "invalid-index-url", message };
}

function flagsFault(args: readonly string[]): Fault | undefined {
  if (args.length > 0 && args.every(isSwitch)) return { reason: "empty-arguments", message: "there is no package to install" };
  const joined = args.find((argument, index) => FLAG_AND_VALUE.test(argument) && !mayTakeValue(args[index - 1] ?? ""));
  if (joined !== undefined) {
    return { reason: "invalid-requirement", message: `${JSON.stringify(joined)} is a flag and its value in one: give two arguments` };
  }
  const wrong = wrongFlag(args);
  if (wrong === undefined) return undefined;
  if (wrong.problem === "no value") {
    return { reason: "invalid-requirement", message: `${wrong.flag} has no value, which is the argument after it` };
  }
  if (wrong.problem === "idle") {
    return { reason: "invalid-requirement", message: `with ${JSON.stringify(wrong.flag)} nothing is installed: leave it out` };
  }
  const installer = wrong.installer === "uv" ? "pip or of uv" : "pip, which installs here since another flag is none of uv's";
  return { reason: "invalid-requirement", message: `${JSON.stringify(wrong.flag)} is no flag of ${installer}` };
}

const FLAG_AND_VALUE = /^(?:-[A-Za-z]|--[a-z-]+)\s/;

/** What is wrong with the names among the arguments of apt. */
export function packageNamesFault(args: readonly string[]): Fault | undefined {
  const names = args.filter((argument, index) => !argument.startsWith("-") && !APT_OPTIONS.has(args[index - 1] ?? ""));
  if (names.length === 0) return { reason: "empty-arguments", message: "there is no package, but flags alone" };
  const wrong = names.find((name) => !isPackage(name));
  if (wrong === undefined) return undefined;
  const advice = /\s/.test(wrong)
    ? "give each as an argument of its own"
    : 'it is like "git", "libc6:amd64", "nginx=1.26.3-3" or "./local.deb"';
  return { reason: "invalid-package-name", message: `${JSON.stringify(wrong)} is not the name of a package: ${advice}` };
}

/** Options of apt-get whose value is the next argument. */
const APT_OPTIONS: ReadonlySet<string> = new Set([
  "-o",
  "--option",
  "-t",
  "--target-release",
  "--default-release",
  "-c",
  "--config-file",
  "-a",
  "--host-architecture",
  "-P",
  "--build-profiles",
]);
/** A name with its architecture, its version or release, and what `+`, `-` or `^` at its end mean to apt. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(\^|=[\w.+:~*-]+|\/[\w.+/-]+)?[+-]?$/;
/** What apt finds names by: globs, expressions and patterns, which it alone knows to read. */
const SEARCH = /^[?~!^]|[*?[\]()$|]/;
const FILE = /^\.{0,2}\//;

function isPackage(name: string): boolean {
  return !/\s/.test(name) && (PACKAGE.test(name) || SEARCH.test(name) || FILE.test(name));
}

/** A space is refused here, since it is written otherwise in a URL, and a host that is empty: `URL` takes the first name of the path for it. */
const INDEX_URL = /^(?:https?:\/\/[^/\\\s\p{Cc}]|file:\/\/)[^\s\p{Cc}]*$/iu;

/** A URL, or a directory of the image that is laid out like one. */
function isIndex(location: string): boolean {
  if (/^(?:\$\{|\.{0,2}\/)/.test(location)) return true;
  const text = replaceReferences(location, () => "1");
  return INDEX_URL.test(text) && URL.canParse(text);
}
