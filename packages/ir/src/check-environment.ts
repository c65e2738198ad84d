/** Whether Linux takes the variables that a definition sets. */
import type { Fault } from "./definition-error.ts";
import { entryBytes, LONGEST_ENTRY_BYTES } from "./environment-entry.ts";
import { PersistentMap } from "./persistent-map.ts";

/** How large the variables are that the steps so far set. */
export interface EnvironmentSize {
  readonly total: number;
  readonly byName: PersistentMap<number>;
}

export const NO_ENVIRONMENT: EnvironmentSize = { total: 0, byName: new PersistentMap() };

/** All variables together share, with the arguments, a quarter of the stack: 2 MiB as a rule. */
const LARGEST_ENVIRONMENT = 1024 * 1024;

/** The sizes after a step that sets variables. */
export function afterVariables({ total, byName }: EnvironmentSize, variables: Readonly<Record<string, string>>): EnvironmentSize {
  const sizes = Object.entries(variables).map(([name, value]) => [name, entryBytes(name, value)] as const);
  const added = sizes.reduce((sum, [name, size]) => sum + size - (byName.get(name) ?? 0), 0);
  return { total: total + added, byName: byName.with(sizes) };
}

/** What is wrong with the sizes after a step that has set these variables. */
export function environmentFault({ total, byName }: EnvironmentSize, names: readonly string[]): Fault | undefined {
  const longest = names.find((name) => (byName.get(name) ?? 0) > LONGEST_ENTRY_BYTES);
  if (longest !== undefined) {
    const message = `${longest} has ${byName.get(longest)} bytes; Linux takes ${LONGEST_ENTRY_BYTES}: put it into a file`;
    return { reason: "environment-too-large", message };
  }
  if (total <= LARGEST_ENVIRONMENT) return undefined;
  return { reason: "environment-too-large", message: `all variables together have ${total} bytes; ${LARGEST_ENVIRONMENT} is the most` };
}
