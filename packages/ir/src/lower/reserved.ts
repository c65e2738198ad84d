/** Variable names that lowering needs for itself while an image is built. */

/** The build argument that stands for a newline, which a Dockerfile word cannot hold. */
export const NEWLINE_ARGUMENT = "LAMINA_NL";

/** The name under which a secret is mounted once more, because pip and uv expand upper-case names only. Counted from 1. */
export function secretAlias(number: number): string {
  return `LAMINA_SECRET_${number}`;
}

/** Whether a user's variable would collide with one of ours. The scripts' own begin with `lamina_`. */
export function isReservedVariable(name: string): boolean {
  return name === NEWLINE_ARGUMENT || /^(LAMINA_SECRET_\d+|lamina_\w+)$/.test(name);
}

/** What BuildKit and the Dockerfile put into the environment of a RUN and the user did not. A script takes them out again. */
export const FOREIGN_VARIABLES: readonly string[] = [
  NEWLINE_ARGUMENT,
  "TRACEPARENT",
  "OTEL_TRACES_EXPORTER",
  "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
];

/** By which the shell of a script and the tools that search for values are found, or change what they do. */
const OF_THE_SYSTEM: ReadonlySet<string> = new Set(["PATH", "IFS", "BASH_ENV", "BASHOPTS", "SHELLOPTS", "POSIXLY_CORRECT"]);

/** Whether a secret may not bring this variable: a step could not be run or searched with it, or would not see it. */
export function isReservedForSecrets(name: string): boolean {
  return OF_THE_SYSTEM.has(name) || FOREIGN_VARIABLES.includes(name) || /^(LAMINA|LD)_/i.test(name);
}
