/** The ways in which a value may be written somewhere. */

/** A value in one of its forms. */
export interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** What has to be searched for to find values, by name: each as it is, and as other formats would hold it. Equal ones are left out. */
export function needlesOf(secrets: Readonly<Record<string, string>>): Needle[] {
  const needles = Object.entries(secrets).flatMap(([secret, value]) =>
    partsOf(value).flatMap((part) => formsOf(part).map(([form, text]) => ({ secret, form, bytes: Buffer.from(text) }))),
  );
  return [...new Map(needles.toReversed().map((needle) => [`${needle.secret} ${needle.bytes.toString("hex")}`, needle])).values()];
}

/** Shorter lines are found by chance. */
const SHORTEST_LINE = 8;

/** The value, and its lines where it has several. */
function partsOf(value: string): string[] {
  return [value, ...value.split("\n").filter((line) => line !== value && line.length >= SHORTEST_LINE)];
}

function formsOf(value: string): [form: string, text: string][] {
  const hex = Buffer.from(value).toString("hex");
  const base64 = [0, 1, 2].map((before) => base64After(value, before));
  return [
    ["plain text", value],
    ...base64.flatMap((text): [string, string][] => [
      ["base64", text],
      ["base64", text.replaceAll("+", "-").replaceAll("/", "_")],
    ]),
    ["hexadecimal", hex],
    ["hexadecimal", hex.toUpperCase()],
    ["part of a URL", encodeURIComponent(value)],
    ["JSON", JSON.stringify(value).slice(1, -1)],
  ];
}

/** The characters that stand for nothing but the value when so many bytes come before it. */
function base64After(value: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  return bytes.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
}
