import { checkDefinition } from "@lamina/ir";
import { parseReference } from "@lamina/registry";
import * as fc from "fast-check";
import { expect, test } from "vitest";

/** Whether a function throws nothing. */
function passes(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const word = fc.constantFrom("a", "A", "0", "a-b", "a_b", "a__b", "a..b", "-a", "a.", "localhost", "docker.io", "[::1]", "é", "");
const tag = fc.constantFrom("", ":1", ":latest", ":-x", ":1.0_a-b", `:${"t".repeat(129)}`, ":", ":5000", ":a:b");
const digest = fc.constantFrom("", `@sha256:${"0".repeat(64)}`, "@sha256:0", `@sha512:${"0".repeat(128)}`, "@");
const reference = fc
  .record({
    host: fc.constantFrom("", "a.b/", "A/", "localhost:5000/", "[::1]:80/", "a_b/", "a.b:x/", "https://a/", " a/"),
    words: fc.array(word, { minLength: 1, maxLength: 3 }),
    tag,
    digest,
  })
  .map((parts) => `${parts.host}${parts.words.join("/")}${parts.tag}${parts.digest}`);

test("a definition takes the references that the registries' client reads, and no others", () => {
  fc.assert(
    fc.property(reference, (text) => {
      const definition = { builderVersion: "2026.11", base: { kind: "fromRegistry" as const, reference: text }, steps: [] };
      expect(passes(() => checkDefinition(definition))).toBe(passes(() => parseReference(text)));
    }),
    { numRuns: 2_000 },
  );
});
