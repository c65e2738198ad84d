/** An app in TypeScript that the tests call from Python. */
import { App, Image } from "lamina";

export const app = new App("letters");

export const echo = app.function({ image: Image.debianSlim({ pythonVersion: "3.13" }) }, (...given: unknown[]) => {
  if (given[0] === "fail") throw new RangeError("too much");
  return given;
});
