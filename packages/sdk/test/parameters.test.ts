import { App, Image, definitionOf, handlerOf, parametersOf } from "lamina";
import { expect, test } from "vitest";

const list = (...names: string[]) => ({ kind: "list", names });
const object = (names: string[], isOpen = false) => ({ kind: "object", names, isOpen });

test.each<[string, unknown, unknown]>([
  ["an arrow function", (x: number, name: string) => [x, name], list("x", "name")],
  ["no parameters", () => 1, list()],
  [
    "a function",
    async function named(x: number, ..._rest: number[]) {
      return x;
    },
    list("x"),
  ],
  [
    "a generator",
    function* (x: number) {
      yield x;
    },
    list("x"),
  ],
  ["defaults that look like parameters", (x = ((a: string, b = ")") => a + b)("(", ","), name = `,1`) => [x, name], list("x", "name")],
  [
    "comments",
    (
      /* a, */ x: number, // b,
      name: string,
    ) => [x, name],
    list("x", "name"),
  ],
  ["an object", ({ x, name: other = "a" }: { x: number; name?: string }) => [x, other], object(["x", "name"])],
  ["an object with a default and a rest", ({ x, ...rest }: Record<string, number> = {}) => [x, rest], object(["x"], true)],
  ["an object with other keys", ({ "max-items": x, 1: y }: Record<string, number>) => [x, y], object(["max-items", "1"])],
  ["an object with a key that is computed", ({ ["a" as string]: y }: Record<string, number>) => y, undefined],
  ["a list taken apart", ([x]: number[]) => x, undefined],
  ["an object among others", (x: number, { y }: { y: number }) => [x, y], undefined],
  ["nothing but a rest", (...args: number[]) => args, undefined],
  ["what bind made", JSON.stringify.bind(null), undefined],
  ["what is in no language", Math.max, undefined],
  [
    "a method",
    {
      async *["find all"](x: number) {
        yield x;
      },
    }["find all"],
    list("x"),
  ],
  ["no function", 1, undefined],
])("names of parameters: %s", async (_, handler, names) => {
  expect(await parametersOf(handler)).toEqual(names);
});

test("those of a function of an app, and of a method of a class, also of one that it extends", async () => {
  const app = new App("a");
  const image = Image.debianSlim();
  const fn = app.function({ image, name: "fn" }, (x: number) => x);
  class Base {
    exit() {}
    add(amount: number) {
      return amount;
    }
  }
  class Counter extends Base {
    reset(to: number, why: string) {
      return [to, why];
    }
  }
  const counter = definitionOf(app.cls({ image }, Counter));
  const python = app.function({ image, python: "m:f" });
  expect(await parametersOf(handlerOf(definitionOf(fn), undefined))).toEqual(list("x"));
  expect(await parametersOf(handlerOf(counter, "reset"))).toEqual(list("to", "why"));
  expect(await parametersOf(handlerOf(counter, "add"))).toEqual(list("amount"));
  expect(handlerOf(definitionOf(python), undefined)).toBeUndefined();
});
