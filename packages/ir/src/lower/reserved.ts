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
