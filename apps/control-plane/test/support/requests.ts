/** Build requests of definitions that are short to write. */
import type { BuildEvent, FollowBuildInput, Services, Tracked } from "@lamina/api";
import type { Definition, StepOperation } from "@lamina/ir";
import { client, type TestControlPlane, type TestPlace } from "./platform.ts";

/** A chain on `debianSlim` with one `runCommands` layer for each of these commands. */
export function chain(...commands: readonly string[]): Definition {
  return definition(commands.map((command) => ({ kind: "runCommands", commands: [command] })));
}

export function definition(steps: readonly StepOperation[]): Definition {
  return { builderVersion: "2026.11", base: { kind: "debianSlim", pythonVersion: "3.13" }, steps: [...steps] };
}

type StartInput = Parameters<Services["builds"]["start"]>[1];

export async function startBuild(
  { services }: TestControlPlane,
  built: Definition,
  options: Partial<Omit<StartInput, "definition">> = {},
): Promise<string> {
  const sources = [null, ...built.steps.map((_, index) => ({ file: "image.ts", line: index + 2, column: 3 }))];
  const { build } = await services.builds.start(client, { definition: built, pull: false, sources, secrets: {}, ...options });
  return build;
}

export type PlanOptions = Partial<Omit<Parameters<Services["images"]["plan"]>[1], "definition">>;

export function plan({ services }: TestControlPlane, planned: Definition, options: PlanOptions = {}) {
  return services.images.plan(client, { definition: planned, pull: false, secrets: {}, ...options });
}

/** Of a plan's layers, how many are there: the base counts as one. */
export async function hits(platform: TestControlPlane, planned: Definition, options: { forcedFrom?: number } = {}): Promise<number> {
  const { layers } = await plan(platform, planned, options);
  return layers.filter(({ status }) => status === "hit").length;
}

/** A build's feed to its end, or up to the first event that `until` finds. */
export async function follow(
  { services }: TestControlPlane,
  build: string,
  options: { after?: string; until?: (event: BuildEvent) => boolean; range?: FollowBuildInput["until"] } = {},
): Promise<Tracked<BuildEvent>[]> {
  const stop = new AbortController();
  const events: Tracked<BuildEvent>[] = [];
  for await (const item of services.builds.follow(client, { id: build, lastEventId: options.after, until: options.range }, stop.signal)) {
    events.push(item);
    if (options.until?.(item.event)) break;
  }
  stop.abort();
  return events;
}

/** The attempts that a build's feed has named so far, the oldest first. */
export async function attemptsOf(platform: TestPlace, build: string): Promise<string[]> {
  const rows = await platform.sql<{ event: { attempt: string } }>(
    "SELECT event FROM build_event WHERE build_id = $1 AND event->>'type' = 'attempt' ORDER BY number",
    [build],
  );
  return rows.map(({ event }) => event.attempt);
}

/** The attempt that a build waits for. */
export async function attemptOf(platform: TestPlace, build: string): Promise<string> {
  const attempt = (await attemptsOf(platform, build)).at(-1);
  if (attempt === undefined) throw new Error(`Build ${build} waits for no attempt.`);
  return attempt;
}
