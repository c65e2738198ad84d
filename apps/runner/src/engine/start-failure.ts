/** Why a container's command could not be started, in the words of runc, which has no codes for it. */

export interface StartFailure {
  readonly exitCode: 126 | 127;
  readonly message: string;
}

/**
 * The exit code that shells give in such a case, and a message; undefined when the reason is not the command.
 * @param message of `ctr`
 */
export function startFailureOf(message: string, program: string): StartFailure | undefined {
  const reason = /unable to start container process: (?:error during container init: )?exec: (.*)$/m.exec(message)?.[1];
  if (reason === undefined) return undefined;
  if (reason.endsWith("executable file not found in $PATH")) {
    return { exitCode: 127, message: `${program}: command not found: it is in no directory of the image's PATH` };
  }
  if (reason.endsWith("no such file or directory")) return { exitCode: 127, message: `${program}: no such file in the image` };
  return { exitCode: 126, message: `${program}: cannot be executed: ${reason.slice(reason.lastIndexOf(": ") + 2)}` };
}
