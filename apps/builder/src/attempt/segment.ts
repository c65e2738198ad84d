/**
 * Makes the layers of one attempt: stages their files, solves their stages as one chain with the last
 * as its target, and publishes each. A long step does not hold back what is done before it: once it
 * has run for a second, the layers before it are published while it goes on.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AttemptProgress, type ClaimedAttempt, type ErrorInfo, LaminaError } from "@lamina/api";
import { builderVersion, fileLayersOf, lower, type Lowered, type ResolvedStep } from "@lamina/ir";
import { createRegistry, type Registry } from "@lamina/registry";
import { isLoopback, type Logger, type TreeDirectories } from "@lamina/service";
import pLimit from "p-limit";
import type { BuildKit, SolvedImage, SolveRequest } from "../buildkit/buildkit.ts";
import { solveOverLoss } from "../buildkit/retry.ts";
import { prepareContexts } from "../contexts/prepare.ts";
import { failureOf } from "./failure.ts";
import { type LayerImages, layerImages } from "./layer-images.ts";
import { type LayerProgress, layerProgress, type SegmentLayer } from "./layer-progress.ts";
import { secretRedactor } from "./lines.ts";
import { type Parent, readParent } from "./parent.ts";

export interface SegmentOptions {
  readonly claimed: ClaimedAttempt;
  readonly buildkit: BuildKit;
  /** The platform's registry, and its host as this process knows it. */
  readonly registry: Registry;
  readonly registryHost: string;
  /** The directory that has `uv-<version>/uv`. */
  readonly uv: string;
  /** A directory of this process alone. */
  readonly state: string;
  /** The names of the machine's GPUs. */
  readonly gpus: readonly string[];
  /** An empty directory. */
  readonly directory: string;
  /** Where local files are staged. */
  readonly directories: TreeDirectories;
  readonly emit: (event: AttemptProgress) => Promise<void>;
  /** Keeps the record of a layer whose image is in the registry. */
  readonly record: (layer: string, image: RecordedImage) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface RecordedImage {
  readonly digest: string;
  /** The compressed size of what the layer added. */
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Makes and publishes every layer, or those before the one that fails.
 * @returns why not all were made; undefined when they were
 * @throws the signal's reason when it was aborted
 */
export async function makeSegment(options: SegmentOptions): Promise<ErrorInfo | undefined> {
  const { claimed, signal } = options;
  try {
    const parent = await readParent({ claimed, repository: repositoryOfParent(options), signal });
    return await makeLowered(lowerSegment(options, parent), options);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof LaminaError) return error.info;
    throw error;
  }
}

async function makeLowered(lowered: Lowered, options: SegmentOptions): Promise<ErrorInfo | undefined> {
  const { claimed, registry, emit, record, logger, signal } = options;
  const { credentials } = claimed.from;
  const redact = secretRedactor([...Object.values(claimed.secrets), ...(credentials === undefined ? [] : [credentials.password])]);
  const layers = layersOfSegment(claimed, lowered);
  const progress = layerProgress({ layers, redact, emit });
  await using staged = new AsyncDisposableStack();
  try {
    const solve = await prepareSolve({ lowered, layers, staged }, options);
    const images = layerImages({
      from: { repository: repositoryOfParent(options), digest: claimed.from.digest },
      adds: (place) => fileLayersOfStep(operationOf(claimed, place)),
      repository: registry.repository(claimed.repository),
      push: (place) => solve(place, { noCache: [], onStatus: async () => {} }),
      record: (place, image) => record(layers[place]?.id ?? "", { ...image, seconds: progress.seconds(place) }),
      signal,
    });
    await makeAndPublish({ solve, images, progress, last: layers.length - 1, noCache: forcedStages(claimed, lowered), logger, signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    logger.warn({ cause: redact(String(error)) }, "not all layers of an attempt could be made");
    const layer = (place: number) => ({ id: layers[place]?.id ?? "", operation: operationOf(claimed, place) });
    return failureOf(error, {
      failed: progress.failed,
      layer,
      placeOfLine: (line) => placeOfLine(line, lowered, layers),
      layers: layers.length,
      lastLines: (place) => progress.lastLines(place),
      redact,
    });
  }
}

function fileLayersOfStep(step: ResolvedStep | undefined): number {
  return step === undefined ? 0 : fileLayersOf(step);
}

function operationOf({ definition, layers }: ClaimedAttempt, place: number): ResolvedStep | undefined {
  return definition.steps[(layers[place]?.index ?? 0) - 1];
}

const PUBLISH_BEHIND_MS = 1_000;
const PUBLISHED_AT_ONCE = 4;

type Solve = (place: number, options: Pick<SolveRequest, "noCache" | "onStatus">) => Promise<SolvedImage>;

interface Making {
  readonly solve: Solve;
  readonly images: LayerImages;
  readonly progress: LayerProgress;
  /** The place of the last layer. */
  readonly last: number;
  readonly noCache: readonly string[];
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function makeAndPublish({ solve, images, progress, last, noCache, logger, signal }: Making): Promise<void> {
  const publishBuilt = async (): Promise<void> => {
    const limit = pLimit(PUBLISHED_AT_ONCE);
    const places = Array.from({ length: Math.min(progress.built, last) }, (_, place) => place);
    const published = await Promise.allSettled(places.map((place) => limit(() => images.publish(place))));
    for (const result of published) if (result.status === "rejected") throw result.reason;
  };
  const publishWhatCanBe = (): Promise<void> =>
    publishBuilt().catch((error: unknown) => logger.warn({ cause: String(error) }, "a layer could not be published yet"));
  let behind: NodeJS.Timeout | undefined;
  const onStatus: SolveRequest["onStatus"] = async (status) => {
    const before = progress.built;
    await progress.take(status);
    if (progress.built === before) return;
    clearTimeout(behind);
    if (progress.built > last) return;
    behind = setTimeout(() => void publishWhatCanBe(), PUBLISH_BEHIND_MS);
  };
  images.prepare();
  try {
    const image = await solve(last, { noCache, onStatus });
    clearTimeout(behind);
    await progress.finish();
    images.pushed(last, image);
    await images.publish(last);
  } catch (error) {
    clearTimeout(behind);
    if (!signal.aborted) await publishWhatCanBe();
    throw error;
  }
  await publishBuilt();
}

function lowerSegment({ claimed, registryHost, gpus }: SegmentOptions, parent: Parent): Lowered {
  const { definition, from, layers } = claimed;
  const indexes = layers.map(({ index }) => index);
  return lower({
    definition,
    from: `${from.host ?? registryHost}/${from.repository}@${from.digest}`,
    first: Math.min(...indexes),
    last: Math.max(...indexes),
    gpus,
    ...parent,
  });
}

function layersOfSegment({ layers }: ClaimedAttempt, { stages }: Lowered): SegmentLayer[] {
  const targets = new Map(stages.map(({ layer, target }) => [layer, target]));
  return layers.map(({ id, index }) => ({ id, target: targets.get(index) ?? "" }));
}

/** The place of the layer whose stage a line is in; the line that begins a stage comes before all that its author wrote. */
function placeOfLine(line: number, { dockerfile }: Lowered, layers: readonly SegmentLayer[]): number | undefined {
  const before = dockerfile.split("\n").slice(0, line);
  const place = layers.findLastIndex(({ target }) => before.some((text) => text.startsWith("FROM ") && text.endsWith(` AS ${target}`)));
  return place === -1 ? undefined : place;
}

/** Every stage from the forced one on: a stage that is left out would be taken from the cache. */
function forcedStages({ forcedFrom }: ClaimedAttempt, { stages }: Lowered): string[] {
  return forcedFrom === undefined ? [] : stages.filter(({ layer }) => layer >= forcedFrom).map(({ target }) => target);
}

interface Segment {
  readonly lowered: Lowered;
  readonly layers: readonly SegmentLayer[];
  /** What is staged goes back with it. */
  readonly staged: AsyncDisposableStack;
}

/** Puts everything in its place that BuildKit reads. */
async function prepareSolve({ lowered, layers, staged }: Segment, options: SegmentOptions): Promise<Solve> {
  const { claimed, buildkit, directory, registryHost, logger, signal } = options;
  const { host, credentials } = claimed.from;
  const contexts = await prepareContexts(lowered.contexts, options, staged);
  const dockerfile = join(directory, "dockerfile");
  await mkdir(dockerfile);
  await writeFile(join(dockerfile, "Dockerfile"), lowered.dockerfile);
  const secrets = new Map(lowered.secrets.map((name) => [name, secretValue(claimed, name)]));
  return (place, { noCache, onStatus }) => {
    const request: SolveRequest = {
      dockerfile,
      target: layers[place]?.target ?? "",
      contexts,
      buildArgs: lowered.buildArgs,
      secrets,
      registries: host === undefined ? {} : { [host]: credentials },
      noCache,
      platform: claimed.definition.platform,
      output: {
        name: `${registryHost}/${claimed.repository}`,
        compression: builderVersion(claimed.definition.builderVersion)?.compression ?? "zstd",
        annotations: annotations(claimed, place),
      },
      onStatus,
      signal,
    };
    return solveOverLoss(buildkit, request, (error) =>
      logger.warn({ reason: error.message }, "BuildKit was lost; solving once more when it is back"),
    );
  };
}

function secretValue({ secrets }: ClaimedAttempt, name: string): string {
  const value = secrets[name];
  if (value === undefined) throw new LaminaError({ code: "SECRET_MISSING", message: `The secret variable ${name} has no value.` });
  return value;
}

/** What the control plane takes a record back from, should its database be lost. */
function annotations({ layers, definition }: ClaimedAttempt, place: number): Record<string, string> {
  const layer = layers[place];
  if (layer === undefined) return {};
  return {
    "dev.lamina.layer": layer.id,
    "dev.lamina.record": layer.record,
    ...(layer.parentRecord === null ? {} : { "dev.lamina.parent-record": layer.parentRecord }),
    "dev.lamina.builder-version": definition.builderVersion,
  };
}

function repositoryOfParent({ claimed, registry, registryHost }: SegmentOptions) {
  const { host = registryHost, repository, credentials } = claimed.from;
  const itsRegistry = host === registryHost ? registry : createRegistry({ host, insecure: isLoopback(host), credentials });
  return itsRegistry.repository(repository);
}
