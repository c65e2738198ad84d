import { Image, imageState, Secret } from "lamina";
import { inspect } from "node:util";
import { expect, test } from "vitest";

const VALUE = "hunter2-and-more";

test("no printing of a secret, or of an image that uses it, shows the value", () => {
  const secret = Secret.fromDict({ TOKEN: VALUE });
  const image = Image.debianSlim().runCommands("true", { secrets: [secret] });
  for (const thing of [secret, image, imageState(image)]) {
    expect(inspect(thing, { depth: Infinity, showHidden: true, getters: true })).not.toContain(VALUE);
    expect(JSON.stringify(thing)).not.toContain(VALUE);
  }
});

test("no error about a secret shows the value", () => {
  const long = VALUE.repeat(20_000);
  expect(() => Secret.fromDict({ TOKEN: long })).toThrow(/^Secret\.fromDict: TOKEN: a name and its value take at most 128 KiB together$/);
  expect(() => Secret.fromDict({ "1": VALUE })).toThrow(/^(?!.*hunter2).*1: a variable's name/);
  expect(() => Secret.fromDict({ TOKEN: `${VALUE}\0` })).toThrow(/^(?!.*hunter2).*TOKEN: a value holds no NUL/);
});

test("a secret without a value is none", () => {
  expect(() => Secret.fromDict({ TOKEN: "" })).toThrow(/TOKEN: it has no value/);
  process.env["LAMINA_TEST_EMPTY"] = "";
  expect(() => Secret.fromEnv(["LAMINA_TEST_EMPTY"])).toThrow(
    expect.objectContaining({ code: "SECRET_MISSING", message: expect.stringContaining("LAMINA_TEST_EMPTY is empty") }),
  );
  delete process.env["LAMINA_TEST_EMPTY"];
});

test("fromEnv takes the values that are there when it is called", () => {
  process.env["VALUE_OF_THE_TEST"] = VALUE;
  const secret = Secret.fromEnv(["VALUE_OF_THE_TEST"]);
  delete process.env["VALUE_OF_THE_TEST"];
  const [step] = imageState(Image.debianSlim().runCommands("true", { secrets: [secret] })).steps;
  expect(step).toMatchObject({ secrets: [{ kind: "inline", variables: ["VALUE_OF_THE_TEST"] }] });
});

test("fromEnv names the variable that is not set", () => {
  expect(() => Secret.fromEnv(["LAMINA_TEST_UNSET"])).toThrow(
    expect.objectContaining({
      code: "SECRET_MISSING",
      reason: "unset-variable",
      message: expect.stringContaining("LAMINA_TEST_UNSET"),
      info: expect.objectContaining({ source: expect.objectContaining({ file: import.meta.filename }) }),
    }),
  );
});

test("fromName takes only names that a workspace can hold", () => {
  expect(() => Secret.fromName("a b")).toThrow(/a secret's name is/);
});
