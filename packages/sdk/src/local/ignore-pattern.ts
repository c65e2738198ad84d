/** One pattern of a .dockerignore: `*`, `?` and `[…]` within a name, `**` over any number of directories, `\` before what means itself. */

/** What is wrong with a pattern, in words that end a sentence; undefined when nothing is. */
export function patternFault(pattern: string): string | undefined {
  if (pattern === "") return "there is nothing after the !";
  const rest = pattern.replace(WHOLE, "");
  if (rest !== "")
    return rest.startsWith("[") ? "a [ has no ] after it, or nothing between them" : "there is nothing after the \\ at its end";
  return compiles(pattern) ? undefined : "a range between [ and ] runs backwards";
}

/** Whether a path is what the pattern means. @throws RangeError for a pattern that has a {@link patternFault} */
export function matcherOf(pattern: string): (path: string) => boolean {
  const fault = patternFault(pattern);
  if (fault !== undefined) throw new RangeError(`${JSON.stringify(pattern)} is no pattern: ${fault}`);
  if (!WILD.test(pattern)) return (path) => path === pattern;
  // BuildKit compares two stars alone at one end as text, so that "**a" matches "ba" too.
  const suffix = /^\*\*(.*)$/s.exec(pattern)?.[1];
  if (suffix !== undefined && !WILD.test(suffix)) return (path) => path.endsWith(suffix) || `/${path}` === suffix;
  const prefix = /^(.*)\*\*$/s.exec(pattern)?.[1];
  if (prefix !== undefined && !WILD.test(prefix)) return (path) => path.startsWith(prefix);
  const expression = expressionOf(pattern);
  return (path) => expression.test(path);
}

const WILD = /[*?[\]\\]/;
/** Of characters and ranges; `^` in front means all others. */
const CLASS = String.raw`\[\^?(?:(?:\\.|[^\]\\-])(?:-(?:\\.|[^\]\\-]))?)+\]`;
/** What is right as it is. */
const WHOLE = new RegExp(String.raw`${CLASS}|\\.|[^[\\]`, "gsu");
const TOKEN = new RegExp(String.raw`\*\*\/?|\*|\?|${CLASS}|\\.|.`, "gsu");

function compiles(pattern: string): boolean {
  try {
    expressionOf(pattern);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.replace(TOKEN, (token, offset: number) => sourceOf(token, offset + token.length === pattern.length));
  return new RegExp(`^${source}$`, "u");
}

function sourceOf(token: string, isLast: boolean): string {
  if (token.startsWith("**")) return isLast ? ".*" : "(?:.*/)?";
  if (token === "*") return "[^/]*";
  if (token === "?") return "[^/]";
  if (token.startsWith("[")) return classSource(token);
  return escaped(token.length > 1 && token.startsWith("\\") ? token.slice(1) : token);
}

function classSource(token: string): string {
  const [, negation = "", members = ""] = /^\[(\^?)(.*)\]$/su.exec(token) ?? [];
  return `[${negation}${members.replace(/\\(.)|([^-])/gsu, (_, quoted?: string, plain?: string) => escaped(quoted ?? plain ?? ""))}]`;
}

/** A character that means itself, in a class too. */
function escaped(character: string): string {
  return character === "-" ? "\\x2d" : character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
}
