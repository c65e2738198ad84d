import { badInput, type ShellCommand } from "lamina";
import { readConfig } from "../config.ts";
import { INTERRUPTED, onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { connect } from "../platform/connect.ts";
import { attach } from "../shell/attach.ts";
import { shellTarget } from "../shell/target.ts";

export interface ShellOptions {
  /** What it is of. */
  readonly of: string;
  /** In place of the shell. */
  readonly program: readonly string[];
  /** For the shell. */
  readonly line: string | undefined;
  readonly output: Output;
}

/** Opens a shell in a container of its own. What is typed goes there, what it shows comes here, and its exit code is ours. */
export async function shell({ of, program, line, output }: ShellOptions): Promise<void> {
  const command = commandOf(program, line);
  const config = readConfig();
  const client = await connect(config, output);
  using interruption = onInterrupt();
  const context = { client, output, signal: interruption.signal };
  await using sessions = new AsyncDisposableStack();
  const target = await shellTarget(of, context, sessions);
  const exit = await attach({ of: target, command }, { ...context, terminalType: config.terminalType });
  if (exit?.outOfMemoryMib !== undefined) {
    output.note(
      `Something in it was ended since it had more memory than the ${exit.outOfMemoryMib} MiB that the function may have (memory).`,
    );
  }
  process.exitCode = exit?.exitCode ?? INTERRUPTED;
}

function commandOf(program: readonly string[], line: string | undefined): ShellCommand {
  if (line !== undefined && program.length > 0) {
    throw badInput("invalid-usage", "There are a line for the shell (--command) and a program (after --). Give one of them.");
  }
  if (line !== undefined) return { kind: "line", line };
  return program.length > 0 ? { kind: "program", arguments: [...program] } : { kind: "shell" };
}
