import { LaminaError } from "@lamina/api";
import { expect, test } from "vitest";
import { errorOf } from "../src/functions/exception.ts";

const exception = { type: "RangeError", message: "too much", stack: "RangeError: too much\n    at app.ts:1:2\n" };
const lastLines = ["RangeError: too much", "    at app.ts:1:2"];

test("what a function threw is of the class that it had there, with what the platform says of it as its cause", () => {
  const error = errorOf({ code: "CALL_FAILED", message: "RangeError: too much", exception });
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ message: "too much", cause: { code: "CALL_FAILED", info: { lastLines } } });
});

test("what kept a function from being set up is the platform's error, with its stack", () => {
  const message = "The function cannot be set up: RangeError: too much";
  const error = errorOf({ code: "FUNCTION_BROKEN", message, exception });
  expect(error).toBeInstanceOf(LaminaError);
  expect(error).toMatchObject({ code: "FUNCTION_BROKEN", message, info: { lastLines } });
});
