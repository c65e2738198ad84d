/**
 * The form of a requirement (PEP 508, with the versions of PEP 440), as pip and uv read it on their command line. What it refuses, they
 * refuse too; what only the image can tell, such as whether a path is there, is left to them.
 */

/** What is wrong with the form of a requirement, in words that end a sentence; undefined when nothing is, or when it is a path. */
export function requirementFault(argument: string): string | undefined {
  const text = argument.trim();
  const [head = ""] = text.split(";", 1);
  if (LOCATION.test(text)) return locationFault(head.trim());
  if (head !== "" && !DIRECT.test(head) && isPath(head)) return undefined;
  const scan = scanner(text);
  if (!scan.takes(NAME)) return "it does not begin with the name of a package";
  if (scan.takes(/\[/) && !(scan.takes(EXTRAS) && scan.takes(/\]/))) return `what is extra is not names between brackets: ${scan.rest()}`;
  const isDirect = scan.takes(/@/);
  const from = scan.rest().split(/\s/, 1)[0] ?? "";
  if (isDirect && !scan.takes(/\S+/)) return "there is no URL after the @";
  if (isDirect && !LOCATION.test(from) && !isPath(from)) return `what follows the @ is no URL: ${from}`;
  const location = isDirect && LOCATION.test(from) ? locationFault(from) : undefined;
  if (location !== undefined) return location;
  if (!isDirect && !takesVersions(scan)) return `a version is not "==1.0", ">=1.0", "~=1.0" or their kin: ${scan.rest()}`;
  if (scan.takes(/;/) && !takesMarker(scan)) return `what follows the ; is no marker such as python_version < "3.12": ${scan.rest()}`;
  return scan.rest() === "" ? undefined : `after ${JSON.stringify(scan.before())} comes ${JSON.stringify(scan.rest())}`;
}

/** Reads a text from its beginning; white space between what it takes does not count. */
interface Scanner {
  /** Whether that comes next; it is then passed. */
  takes(pattern: RegExp): boolean;
  before(): string;
  rest(): string;
}

function scanner(text: string): Scanner {
  let at = 0;
  return {
    takes(pattern) {
      const next = new RegExp(`\\s*(?:${pattern.source})\\s*`, `${pattern.flags}y`);
      next.lastIndex = at;
      const found = next.exec(text) !== null;
      if (found) at = next.lastIndex;
      return found;
    },
    before: () => text.slice(0, at).trim(),
    rest: () => text.slice(at),
  };
}

/** What neither pip nor uv would fetch from. */
function locationFault(url: string): string | undefined {
  const [, scheme = "", rest = ""] = /^([^:]*):(.*)$/s.exec(url) ?? [];
  if (!SCHEME.test(scheme)) return `packages do not come by ${scheme}: as a URL it begins with https:// or git+https://`;
  if (/^\/*$/.test(rest)) return "the URL ends after its scheme";
  return /\s/.test(rest) ? "the URL holds a space, which is %20 there" : undefined;
}

const SCHEME = /^(?:https?|ftp|file|ssh|git|hg|svn|bzr|(?:git|hg|svn|bzr)\+(?:https?|ssh|file|git|svn|sftp|ftp|lp|static-https?))$/i;
const LOCATION = /^(?:[a-z][a-z0-9+.-]*:\/\/|file:)/i;
/** A name, and the URL from which it is had. */
const DIRECT = /^[\w.-]+\s*(?:\[[^\]]*\])?\s*@/;
const ARCHIVE = /\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))$/i;
const NAME = /[a-z0-9][a-z0-9._-]*\b/i;
const EXTRAS = /(?:[a-z0-9][\w.-]*\b\s*(?:,\s*[a-z0-9][\w.-]*\b\s*)*)?/i;

/** By the rules that pip itself has for it. */
function isPath(text: string): boolean {
  return text.startsWith(".") || text.includes("/") || ARCHIVE.test(text.trim().replace(/\[[^\]]*\]$/, ""));
}

const RELEASE = String.raw`v?(?:\d+!)?\d+(?:\.\d+)*`;
const PRE_AND_POST = String.raw`(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?`;
const DEVELOPMENT = String.raw`(?:[-_.]?dev[-_.]?\d*)?`;
const LOCAL = String.raw`(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?`;
const VERSION = new RegExp(
  [
    String.raw`===\s*[^\s;)]*`,
    String.raw`[=!]=\s*${RELEASE}${PRE_AND_POST}(?:\.\*|${DEVELOPMENT}${LOCAL})`,
    String.raw`~=\s*v?(?:\d+!)?\d+(?:\.\d+)+${PRE_AND_POST}${DEVELOPMENT}`,
    String.raw`(?:<=|>=|<|>)\s*${RELEASE}${PRE_AND_POST}${DEVELOPMENT}`,
  ]
    .map((clause) => String.raw`(?:${clause})(?![\w.*+!])`)
    .join("|"),
  "i",
);

/** Versions one after another, between brackets or not; none is fine too. */
function takesVersions(scan: Scanner): boolean {
  const isBracketed = scan.takes(/\(/);
  while (scan.takes(VERSION) && scan.takes(/,/));
  return (!isBracketed || scan.takes(/\)/)) && !scan.takes(/(?=[=<>~!])/);
}

const MARKER_VALUE =
  /'[^']*'|"[^"]*"|\b(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)|platform[._](?:version|machine|python_implementation)|python_implementation|implementation_(?:name|version)|extras?|dependency_groups)\b/;
const MARKER_OPERATOR = /===|==|~=|!=|<=|>=|<|>|\bnot\s+in\b|\bin\b/;

function takesMarker(scan: Scanner): boolean {
  do {
    const isWhole = scan.takes(/\(/)
      ? takesMarker(scan) && scan.takes(/\)/)
      : scan.takes(MARKER_VALUE) && scan.takes(MARKER_OPERATOR) && scan.takes(MARKER_VALUE);
    if (!isWhole) return false;
  } while (scan.takes(/\b(?:and|or)\b/));
  return true;
}
