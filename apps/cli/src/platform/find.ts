/** What there is, by its name or part of its id. */
import { asLaminaError, badInput, type BuiltImage, type Client, LaminaError } from "lamina";

const SHORTEST = 8;
const SEARCHED = 500;
const FULL_ID = 36;

/** The one built image whose id begins so. @throws NOT_FOUND, INVALID_INPUT */
export async function findImage(client: Client, part: string): Promise<BuiltImage> {
  requireLength(part, "an image's id");
  const all = await client.images.list();
  return only(
    all.filter(({ id }) => id.startsWith(part)),
    { whats: ["image"], part },
  );
}

export type BuildOrCall = { readonly kind: "build"; readonly id: string } | { readonly kind: "call"; readonly call: string };
export type Logged = BuildOrCall | { readonly kind: "app"; readonly app: string };

/** The one call or build of this id, or whose id ends so; ids made at one time begin alike. @throws NOT_FOUND, INVALID_INPUT */
export async function findBuildOrCall(client: Client, part: string): Promise<BuildOrCall> {
  if (part.length >= FULL_ID) {
    if (await isThere(() => client.calls.get(part))) return { kind: "call", call: part };
    if (await isThere(() => client.builds.get(part))) return { kind: "build", id: part };
  }
  requireLength(part, "an id of a build or a call");
  const [calls, builds] = await Promise.all([client.calls.list({ limit: SEARCHED }), client.builds.list(SEARCHED)]);
  const found = [
    ...calls.map(({ id }) => ({ id, is: { kind: "call" as const, call: id } })),
    ...builds.map(({ id }) => ({ id, is: { kind: "build" as const, id } })),
  ].filter(({ id }) => id.endsWith(part));
  return only<{ readonly id: string; readonly is: BuildOrCall }>(found, { whats: ["build", "call"], part }).is;
}

/** An app by its name, else a call or a build by its id or the end of that. @throws NOT_FOUND, INVALID_INPUT */
export async function findLogged(client: Client, name: string): Promise<Logged> {
  if (await isThere(() => client.apps.get(name))) return { kind: "app", app: name };
  requireLength(name, "an id of a build or a call, and there is no app of that name");
  return findBuildOrCall(client, name);
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

function requireLength(part: string, what: string): void {
  if (part.length < SHORTEST) throw badInput("invalid-usage", `"${part}" is too short for ${what}: give at least ${SHORTEST} digits.`);
}

interface Wanted {
  readonly whats: readonly string[];
  readonly part: string;
}

function only<T extends { readonly id: string }>(found: readonly T[], { whats, part }: Wanted): T {
  const [first, ...others] = found.filter(({ id }, index) => found.findIndex((other) => other.id === id) === index);
  if (first === undefined) {
    const listing = whats.map((what) => `\`lamina ${what}s\``).join(" and ");
    const old = whats.includes("call") ? " A call may be too old: they are deleted some days after their end." : "";
    const message = `There is no ${whats.join(" or ")} "${part}". ${listing} ${whats.length === 1 ? "lists" : "list"} what there is.${old}`;
    throw new LaminaError({ code: "NOT_FOUND", message });
  }
  if (others.length > 0) {
    throw badInput("invalid-usage", `"${part}" fits ${others.length + 1} ${whats.join("s and ")}s. Give more of the id.`);
  }
  return first;
}
