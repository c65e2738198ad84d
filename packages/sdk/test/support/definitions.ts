/**
 * For the tests of the SDK for Python: what this SDK makes of images that are described on stdin, as JSON: examples, and bases with method
 * calls under their names in Python. Prints a list of what came of each: definition, ids by the given resolution, and trees; or the error.
 */
import { text } from "node:stream/consumers";
import { layersOf, Platform, Digest, resolveDefinition } from "@lamina/ir";
import { type AnyImage, asLaminaError, Image, imagesOf, imageState, Secret } from "lamina";
import { z } from "zod";
import { snapshotOf } from "../../src/snapshot.ts";

const SecretRecipe = z.union([z.object({ values: z.record(z.string(), z.string()) }), z.object({ name: z.string() })]);
const Options = z.record(z.string(), z.unknown());
const Recipe = z.object({
  base: z.tuple([z.enum(["debian_slim", "from_registry"]), z.array(z.string()), Options]),
  steps: z.array(z.tuple([z.string(), z.array(z.unknown()), Options])),
});
/** The image of an example, by the name of its file. */
const Example = z.object({ example: z.string() });
type Recipe = z.infer<typeof Recipe>;
const Input = z.object({
  recipes: z.array(z.union([Example, Recipe])),
  resolution: z.object({ platform: Platform, baseDigest: Digest, secrets: z.record(z.string(), z.array(z.string())) }),
});

/** How many arguments come before the options, where some of them may lack. */
const BEFORE_OPTIONS = new Map([
  ["copy_local_dir", 2],
  ["poetry_install_from_file", 2],
]);

const { recipes, resolution } = Input.parse(JSON.parse(await text(process.stdin)));
const made = [];
for (const recipe of recipes) made.push(await outcome(recipe));
process.stdout.write(JSON.stringify(made));

async function outcome(recipe: z.infer<typeof Example> | Recipe): Promise<unknown> {
  try {
    const { definition, trees } = await snapshotOf(imageState("example" in recipe ? await exampleOf(recipe.example) : imageOf(recipe)));
    const resolved = resolveDefinition(definition, { ...resolution, secrets: new Map(Object.entries(resolution.secrets)) });
    return {
      definition,
      ids: layersOf(resolved).map(({ id }) => id),
      trees: [...trees].map(([digest, { entries }]) => ({ digest, entries })),
    };
  } catch (error) {
    const known = asLaminaError(error);
    if (known === undefined) throw error;
    return { code: known.code, message: known.message };
  }
}

async function exampleOf(file: string): Promise<AnyImage> {
  const exports: Readonly<Record<string, unknown>> = await import(new URL(`../../examples/${file}`, import.meta.url).href);
  const [found] = imagesOf(exports);
  if (found === undefined) throw new TypeError(`${file} exports no image`);
  return found.image;
}

function imageOf({ base: [name, args, options], steps }: Recipe): Image {
  const first = call(Image, name, [...args, optionsOf(options)]);
  return steps.reduce((image, [step, given, chosen]) => call(image, step, argumentsOf(step, given, chosen)), first);
}

/** Methods go by their names, since that is what the recipes have. */
function call(on: object, name: string, args: readonly unknown[]): Image {
  const method: unknown = Reflect.get(on, camel(name));
  if (typeof method !== "function") throw new TypeError(`there is no method ${name}`);
  const image: unknown = Reflect.apply(method, on, args);
  if (image instanceof Image) return image;
  throw new TypeError(`${name} gave no image`);
}

/** Options come last, in some methods after an argument that may lack. */
function argumentsOf(name: string, args: readonly unknown[], options: Recipe["base"][2]): unknown[] {
  if (name === "env") return [options];
  if (Object.keys(options).length === 0) return [...args];
  const before = BEFORE_OPTIONS.get(name) ?? args.length;
  return [...Array.from({ length: before }, (_, index) => args[index]), optionsOf(options)];
}

function optionsOf(options: Recipe["base"][2]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), optionOf(name, value)]));
}

function optionOf(name: string, value: unknown): unknown {
  if (name === "secrets") return z.array(SecretRecipe).parse(value).map(secretOf);
  if (name === "secret") return secretOf(SecretRecipe.parse(value));
  // A condition is told by the end of the paths that it refuses.
  if (name === "condition") return (path: string) => !path.endsWith(z.string().parse(value));
  return value;
}

function secretOf(secret: z.infer<typeof SecretRecipe>): Secret {
  return "name" in secret ? Secret.fromName(secret.name) : Secret.fromDict(secret.values);
}

function camel(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
