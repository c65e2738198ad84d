/** What is run for a shell: one command after the other, until there is one that the image has. */
import type { ShellCommand } from "@lamina/api";
import { GATE } from "../engine/function-containers.ts";

/** At a terminal, every command that goes through `sh` first waits until that is as it should be. */
export function commandsOf(command: ShellCommand, { hasTerminal }: { readonly hasTerminal: boolean }): string[][] {
  const wait = hasTerminal ? `read -r _ <${GATE}; ` : "";
  switch (command.kind) {
    case "shell":
      return [["sh", "-c", `${wait}${HAS_BASH} && exec bash; exec sh`], ["bash"]];
    case "line":
      return [
        ["sh", "-c", `${wait}${HAS_BASH} && exec bash -c "$1"; exec sh -c "$1"`, "sh", command.line],
        ["bash", "-c", command.line],
      ];
    case "program": {
      const { arguments: words } = command;
      return hasTerminal ? [["sh", "-c", `${wait}exec "$@"`, "sh", ...words], words] : [words];
    }
  }
}

const HAS_BASH = "command -v bash >/dev/null 2>&1";
