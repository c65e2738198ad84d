/** What an image is made of, in a form that any copy of the SDK can read. */
import { badInput, SourceLocation } from "@lamina/api";
import { BaseOperation, StepOperation } from "@lamina/ir";
import { z } from "zod";
import { LocalStep } from "./local-steps/index.ts";
import { isSecret, type Secret } from "./secret.ts";

/** A step with local files that have not been read yet, or an operation as it is. */
const Step = z.union([LocalStep, StepOperation]);
export type Step = z.infer<typeof Step>;

const ImageState = z.object({
  /** Counts up when this shape changes. */
  format: z.literal(1),
  builderVersion: z.string(),
  base: BaseOperation,
  steps: z.array(Step).readonly(),
  /** Where each layer's method was called, the base first. */
  sources: z.array(SourceLocation.nullable()).readonly(),
  secrets: z.array(z.custom<Secret>(isSecret)).readonly(),
  /** The first layer to make anew, counted with the base as 0. */
  forcedFrom: z.int().min(1).optional(),
});
export type ImageState = z.infer<typeof ImageState>;

/** Under this key any copy of the SDK finds the state of an image. */
export const IMAGE: unique symbol = Symbol.for("lamina.image");

/** Whether a value is an image, of this copy of the SDK or of another. */
export function isImage(value: unknown): value is { readonly [IMAGE]: unknown } {
  return typeof value === "object" && value !== null && IMAGE in value;
}

/** The state of an image. @throws INVALID_INPUT for one that another version of the SDK made and this one cannot read */
export function imageState(image: { readonly [IMAGE]: unknown }): ImageState {
  const known = read.get(image);
  if (known !== undefined) return known;
  const result = ImageState.safeParse(image[IMAGE]);
  if (result.success) {
    read.set(image, result.data);
    return result.data;
  }
  const message =
    "This image was made by another version of the package `lamina`. Use the same version in the project and on the command line.";
  throw badInput("other-sdk", message, { cause: result.error });
}

/** Images do not change, and are asked for their state several times in a build. */
const read = new WeakMap<object, ImageState>();
