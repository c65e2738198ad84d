/** What there is, by its name or part of its id. */
import { asLaminaError, badInput, type BuiltImage, type Client, LaminaError } from "lamina";

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

export type Logged =
  | { readonly kind: "build"; readonly id: string }
  | { readonly kind: "call"; readonly call: string }
  | { readonly kind: "app"; readonly app: string };

/** An app by its name, else a call or a build by its id or the end of that. @throws NOT_FOUND, INVALID_INPUT */
export async function findLogged(client: Client, name: string): Promise<Logged> {
  if (name.length >= FULL_BUILD_ID && (await isThere(() => client.calls.get(name)))) return { kind: "call", call: name };
  if (name.length < FULL_BUILD_ID && (await isThere(() => client.apps.get(name)))) return { kind: "app", app: name };
  if (name.length >= FULL_BUILD_ID) return { kind: "build", id: name };
  requireLength(name, "an id of a build or a call, and there is no app of that name");
  const [calls, builds] = await Promise.all([client.calls.list({ limit: BUILDS_SEARCHED }), client.builds.list(BUILDS_SEARCHED)]);
  const found = [
    ...calls.map(({ id }) => ({ id, logged: { kind: "call" as const, call: id } })),
    ...builds.map(({ id }) => ({ id, logged: { kind: "build" as const, id } })),
  ].filter(({ id }) => id.endsWith(name));
  return only<{ readonly id: string; readonly logged: Logged }>(found, { what: "build", part: name }).logged;
}

async function isThere(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    const code = asLaminaError(error)?.code;
    if (code === "NOT_FOUND" || code === "INVALID_INPUT") return false;
    throw error;
  }
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
