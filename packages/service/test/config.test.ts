import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Address, ConfigError, isLoopback, readConfig, redactor, Switch } from "../src/index.ts";

const schema = z.object({ PLACE: Address, LOUD: Switch.default(false), NAME: z.string() });

describe("the environment", () => {
  test("is read as the schema says", () => {
    expect(readConfig(schema, { PLACE: "[::1]:80", LOUD: "1", NAME: "x", OTHER: "y" })).toEqual({
      PLACE: { host: "::1", port: 80 },
      LOUD: true,
      NAME: "x",
    });
  });

  test("an empty variable is one that is not set", () => {
    expect(readConfig(schema, { PLACE: "h:1", LOUD: "", NAME: "x" }).LOUD).toBe(false);
  });

  test("every variable that is wrong or missing is named, and no value is shown", () => {
    const read = () => readConfig(schema, { PLACE: "hidden", NAME: "" });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow("The environment is not right:\n  PLACE: must be host:port\n  NAME: must be set");
  });

  test.each([
    ["127.0.0.1:5000", true],
    ["localhost", true],
    ["[::1]:5000", true],
    ["registry.example.com", false],
    ["127.0.0.1.example.com", false],
  ])("%s is on loopback: %s", (host, expected) => expect(isLoopback(host)).toBe(expected));
});

describe("a redactor", () => {
  test("replaces each value, the longest first, also as JSON writes it", () => {
    const redact = redactor(["abc", "abcdef", 'quo"te', ""]);
    expect(redact('abcdef abc quo"te')).toBe("*** *** ***");
    expect(redact(JSON.stringify({ line: 'quo"te' }))).toBe('{"line":"***"}');
  });
});
