/** Apps: functions with the images that they run in. */
import { badInput } from "@lamina/api";
import { z } from "zod";
import { parseArgument } from "./failure.ts";
import type { Image } from "./image.ts";
import { IMAGE, isImage } from "./image-state.ts";
import { callSite } from "./source.ts";

export interface FunctionOptions {
  /** The image that the function runs in. */
  readonly image: Image;
}
const FunctionOptions = z.strictObject(
  { image: z.custom<Image>(isImage, "must be an Image") },
  { error: (issue) => (issue.code === "invalid_type" ? "give an object with an image" : undefined) },
);

export type Handler = (...args: never[]) => unknown;

/** A function of an app: its code, and the image that it runs in. */
export interface AppFunction<H extends Handler = Handler> {
  readonly [FUNCTION]: true;
  readonly image: Image;
  readonly handler: H;
}

/** Under this key any copy of the SDK knows a function of an app. */
export const FUNCTION: unique symbol = Symbol.for("lamina.function");
/** Under this key any copy of the SDK finds the functions of an app. */
export const APP: unique symbol = Symbol.for("lamina.app");

/** A named set of functions. */
export class App {
  readonly name: string;
  readonly [APP]: AppFunction[] = [];

  /** @throws INVALID_INPUT for an empty name */
  constructor(name: string) {
    if (typeof name !== "string" || name.trim() === "")
      throw badInput("empty-arguments", "App: give the app a name", { source: callSite() });
    this.name = name;
  }

  /** Registers a function, and gives back what holds it and its image. */
  function<H extends Handler>(options: FunctionOptions, handler: H): AppFunction<H> {
    const { image } = parseArgument(FunctionOptions, options, { method: "App.function", source: callSite() });
    if (typeof handler !== "function")
      throw badInput("invalid-argument", "App.function: the second argument must be a function", { source: callSite() });
    const registered: AppFunction<H> = { [FUNCTION]: true, image, handler };
    this[APP].push(Object.freeze(registered));
    return registered;
  }
}

/** An image that a module makes available, under a name for people. */
export interface NamedImage {
  readonly name: string;
  readonly image: { readonly [IMAGE]: unknown };
}

/**
 * The images of a module's exports, each once: images themselves first, then those of exported
 * functions under the function's name, then those of the functions of exported apps under `app.function`.
 */
export function imagesOf(exports: Readonly<Record<string, unknown>>): NamedImage[] {
  const entries = Object.entries(exports);
  const found = [
    ...entries.flatMap(([name, value]) => (isImage(value) ? [{ name, image: value }] : [])),
    ...entries.flatMap(([name, value]) => (isFunction(value) ? [{ name, image: value.image }] : [])),
    ...entries.flatMap(([, value]) =>
      isApp(value) ? value[APP].map((fn, index) => ({ name: `${value.name}.${fn.handler.name || index + 1}`, image: fn.image })) : [],
    ),
  ];
  return found.filter(({ image }, index) => found.findIndex((other) => other.image[IMAGE] === image[IMAGE]) === index);
}

function isFunction(value: unknown): value is AppFunction {
  return typeof value === "object" && value !== null && FUNCTION in value;
}

function isApp(value: unknown): value is App {
  return typeof value === "object" && value !== null && APP in value;
}
