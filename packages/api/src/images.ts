/** Where images are. */
import { Digest } from "@lamina/ir";
import { z } from "zod";

/** An image in the platform's registry, whose host each process knows under its own address; or elsewhere. */
export const ImageLocation = z.object({ host: z.string().optional(), repository: z.string(), digest: Digest });
export type ImageLocation = z.infer<typeof ImageLocation>;
