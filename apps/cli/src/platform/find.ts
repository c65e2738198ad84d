/** Builds and images by part of their id. */
import { type BuiltImage, type Client, badInput, LaminaError } from "lamina";

const SHORTEST = 8;
const BUILDS_SEARCHED = 500;

/** The id of the one build whose id ends so; ids made at one time begin alike. @throws NOT_FOUND, INVALID_INPUT */
export async function findBuild(client: Client, part: string): Promise<string> {
  if (part.length >= FULL_BUILD_ID) return part;
  requireLength(part, "a build's id");
  const all = await client.builds.list(BUILDS_SEARCHED);
  return only(
    all.filter(({ id }) => id.endsWith(part)),
    { what: "build", part },
  ).id;
}

/** The one built image whose id begins so. @throws NOT_FOUND, INVALID_INPUT */
export async function findImage(client: Client, part: string): Promise<BuiltImage> {
  requireLength(part, "an image's id");
  const all = await client.images.list();
  return only(
    all.filter(({ id }) => id.startsWith(part)),
    { what: "image", part },
  );
}

const FULL_BUILD_ID = 36;

function requireLength(part: string, what: string): void {
  if (part.length < SHORTEST) throw badInput("invalid-usage", `"${part}" is too short for ${what}: give at least ${SHORTEST} digits.`);
}

function only<T extends { readonly id: string }>(found: readonly T[], { what, part }: { readonly what: string; readonly part: string }): T {
  const [first, ...others] = found.filter(({ id }, index) => found.findIndex((other) => other.id === id) === index);
  if (first === undefined)
    throw new LaminaError({ code: "NOT_FOUND", message: `There is no ${what} "${part}". \`lamina ${what}s\` lists them.` });
  if (others.length > 0) throw badInput("invalid-usage", `"${part}" fits ${others.length + 1} ${what}s. Give more of the id.`);
  return first;
}
