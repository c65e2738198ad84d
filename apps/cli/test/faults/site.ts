/** A platform on servers of its own, whose every process may be killed or stopped, and builds on it. */
import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { cp, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builderVersion, DEFAULT_BUILDER_VERSION } from "@lamina/ir";
import { type OwnServers, ownServers, type PlatformOptions, type TestPlatform, testPlatform, tinyBase } from "@lamina/testkit";
import { type AnyImage, buildImage, type BuildResult, type Client, type ClientEvent, connect, Image, LaminaError } from "lamina";

export interface Site extends AsyncDisposable {
  readonly platform: TestPlatform;
  readonly servers: OwnServers;
  readonly client: Client;
  /** What its images start from. */
  readonly base: string;
  /** An image of a few quick layers that nobody has built before. */
  newImage(): Promise<Image>;
  /** The directory in which a process is supervised. */
  directoryOf(process: string): string;
  /** Resolves the next time that a process that died is ready again. */
  isBack(process: string): Promise<void>;
  /** Copies the logs of all processes to where they outlive the test. @returns the directory */
  keepLogs(): Promise<string>;
}

export const LEASE_SECONDS = 3;

export async function faultSite(options: Pick<PlatformOptions, "builders" | "runner"> = {}): Promise<Site> {
  await using cleanUp = new AsyncDisposableStack();
  const reports = new EventEmitter();
  const report = (line: string) => reports.emit(line);
  const servers = cleanUp.use(await ownServers({ report }));
  const base = await tinyBase(servers.registry);
  const uv = builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "";
  const environment = { LAMINA_LEASE_SECONDS: String(LEASE_SECONDS) };
  const platform = cleanUp.use(await testPlatform({ uv, servers, runner: false, environment, report, ...options }));
  const client = await connect({ url: platform.url, token: platform.clientToken });
  const owned = cleanUp.move();
  return {
    platform,
    servers,
    client,
    base,
    newImage: () => newImage(base, platform.directory),
    directoryOf: (process) => (["control-plane", "runner", ...platform.builders].includes(process) ? platform : servers).directory,
    isBack: async (process) => void (await once(reports, `${process} is back`)),
    async keepLogs() {
      const kept = await mkdtemp(join(tmpdir(), "lamina-fault-logs-"));
      for (const { directory } of [servers, platform]) await cp(join(directory, "logs"), kept, { recursive: true });
      return kept;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function newImage(base: string, directory: string): Promise<Image> {
  const name = randomUUID();
  const source = join(directory, "sources", name);
  await mkdir(source, { recursive: true });
  for (const file of ["one", "two"]) await writeFile(join(source, file), `${file} of ${name}\n`);
  return Image.fromRegistry(base)
    .copyLocalDir(source, "/source")
    .runCommands("echo first; sleep 0.3; cat /source/one")
    .runCommands("sleep 0.2; echo second; sleep 0.2; echo more")
    .env({ NAME: name })
    .runCommands("echo third; sleep 0.3");
}

/** How a build went: what it gave or why it failed, and everything that the client heard. */
export interface Outcome {
  readonly result: BuildResult | undefined;
  readonly error: LaminaError | undefined;
  readonly events: readonly ClientEvent[];
}

export interface Asked {
  readonly client: Client;
  readonly image: AnyImage;
  readonly onEvent?: (event: ClientEvent) => void;
  readonly signal?: AbortSignal;
}

export async function build({ client, image, onEvent, signal }: Asked): Promise<Outcome> {
  const events: ClientEvent[] = [];
  const hear = (event: ClientEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  try {
    return {
      result: await buildImage(client, image, { onEvent: hear, ...(signal !== undefined && { signal }) }),
      error: undefined,
      events,
    };
  } catch (error) {
    if (!(error instanceof LaminaError)) throw error;
    return { result: undefined, error, events };
  }
}

/** A build that is under way. */
export interface Begun {
  readonly outcome: Promise<Outcome>;
  /** What was heard up to now. */
  readonly events: readonly ClientEvent[];
  /** Ends it as Ctrl-C does. */
  readonly abort: () => void;
}

/** Asks for an image; resolves when the line `begun` was heard, or when it has ended without. */
export async function begin(client: Client, image: AnyImage): Promise<Begun> {
  const abort = new AbortController();
  const begun = Promise.withResolvers<void>();
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent): void => {
    events.push(event);
    if (event.type === "log" && event.line === "begun") begun.resolve();
  };
  const outcome = build({ client, image, onEvent, signal: abort.signal });
  await Promise.race([begun.promise, outcome]);
  return { outcome, events, abort: () => abort.abort() };
}
