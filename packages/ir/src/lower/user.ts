/** Runs instructions as root, and leaves the image with the user that it had, who is written as USER takes it. */
export function asRoot(user: string | undefined, instructions: readonly string[]): readonly string[] {
  if (user === undefined || ROOT.test(user)) return instructions;
  return ["USER root", ...instructions, `USER ${user}`];
}

const ROOT = /^"?((root|0)(:(root|0))?)?"?$/;
