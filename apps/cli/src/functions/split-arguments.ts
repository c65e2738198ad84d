/** What is ours among arguments that are passed on. Loads nothing, since the table of commands needs it. */

/** Sets `--json` apart, up to a `--`. */
export function splitArguments(given: readonly string[]): { readonly json: boolean; readonly args: readonly string[] } {
  const end = given.indexOf("--");
  const [own, rest] = end === -1 ? [given, []] : [given.slice(0, end), given.slice(end + 1)];
  return { json: own.includes("--json"), args: [...own.filter((arg) => arg !== "--json"), ...rest] };
}
