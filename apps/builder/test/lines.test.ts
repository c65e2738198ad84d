import { array, assert, constantFrom, nat, property, string, stringMatching } from "fast-check";
import { describe, expect, test } from "vitest";
import { lineReader, secretRedactor } from "../src/attempt/lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The lines of an output that comes in these chunks. */
function read(chunks: readonly Uint8Array[], secrets: readonly string[] = []): string[] {
  const reader = lineReader(secretRedactor(secrets));
  return [...chunks.flatMap((chunk) => reader.take(chunk)), ...reader.end()];
}

describe("lines of output", () => {
  test("are the same however the output was cut, and never hold a secret", () => {
    const secret = stringMatching(/^[a-zé"]{6,12}$/);
    const text = string({ unit: constantFrom("a", "é", "\n", " ", "S") });
    assert(
      property(secret, text, array(nat({ max: 200 })), (value, template, cuts) => {
        const output = bytes(template.replaceAll("S", value));
        const places = [0, ...cuts.map((cut) => Math.min(cut, output.length)).sort((a, b) => a - b), output.length];
        const chunks = places.slice(1).map((end, index) => output.slice(places[index], end));
        const lines = read(chunks, [value]);
        expect(lines).toEqual(read([output], [value]));
        expect(lines.join("\n")).not.toContain(value);
      }),
    );
  });

  test("show of what was overwritten the last", () => {
    expect(read([bytes("10%\r50%\r100%\r\ndone")])).toEqual(["100%", "done"]);
  });

  test("are cut when they are too long", () => {
    const [line = ""] = read([bytes("x".repeat(3_000_000))]);
    expect(line).toMatch(/^x{16384} … \(cut\)$/);
  });
});

describe("a redactor of secrets", () => {
  const pem = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\n-----END KEY-----\n";
  test.each<[string, { value: string; line: string; expected: string }]>([
    ["as it is", { value: "token", line: "a token here", expected: "a *** here" }],
    ["in a URL", { value: "p@ss/w", line: "https://u:p%40ss%2Fw@host/", expected: "https://u:***@host/" }],
    ["in JSON", { value: 'qu"ote', line: '{"key":"qu\\"ote"}', expected: '{"key":"***"}' }],
    ["by the lines that it has", { value: pem, line: "MIIEpAIBAAKCAQEA", expected: "***" }],
    ["as often as it is there", { value: "abc", line: "abcabc", expected: "******" }],
  ])("finds a value %s", (_, { value, line, expected }) => {
    expect(secretRedactor([value])(line)).toBe(expected);
  });
});
