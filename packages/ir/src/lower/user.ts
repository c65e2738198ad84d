import { dockerWord } from "./quoting.ts";

/** Runs instructions as root, and leaves the image with the user that it had. */
export function asRoot(user: string | undefined, instructions: readonly string[]): readonly string[] {
  if (user === undefined || ROOT.test(user)) return instructions;
  return ["USER root", ...instructions, `USER ${dockerWord(user)}`];
}

const ROOT = /^((root|0)(:(root|0))?)?$/;
