import { isPosixShell } from "../dockerfile/inherited.ts";

/** Instructions whose scripts are for /bin/sh, under whatever SHELL the layers below have set. */
export function inPosixShell(shell: readonly string[] | undefined, instructions: readonly string[]): string[] {
  if (shell === undefined || isPosixShell(shell)) return [...instructions];
  return ['SHELL ["/bin/sh", "-c"]', ...instructions, `SHELL ${JSON.stringify(shell)}`];
}
