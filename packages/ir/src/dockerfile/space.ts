/** What BuildKit takes for space. It is not quite what `\s` is. */
export const SPACE = String.raw`\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

/** The text without space at its ends. */
export function trimSpace(text: string): string {
  return text.replace(ENDS, "");
}

const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");
