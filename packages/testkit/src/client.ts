import { inject } from "vitest";
import { z } from "zod";
import { addressesSchema, type TestServers } from "./addresses.ts";
import "./global-setup.ts";

/** The servers of this test run, shared by all test files; the first call starts them. */
export async function servers(): Promise<TestServers> {
  return addressesSchema.parse(await ask("/servers"));
}

/**
 * The Debian base with that Python (as in `"3.13"`) in the test registry, by digest. Made at most once a
 * run, and from the cache where it has been made before (about a minute the first time).
 */
export async function base(python: string): Promise<string> {
  return z.string().parse(await ask(`/bases/${python}`));
}

/** The path of the static uv of that version, fetched into the cache where it is not there. */
export async function uv(version: string): Promise<string> {
  return z.string().parse(await ask(`/uv/${version}`));
}

async function ask(path: string): Promise<unknown> {
  const response = await fetch(`${inject("laminaTestkit")}${path}`);
  if (!response.ok) throw new Error(`The test servers are not there: ${await response.text()}`);
  return response.json();
}
