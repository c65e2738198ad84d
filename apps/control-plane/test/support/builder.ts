/** A builder that makes layers of a few bytes, and otherwise keeps to what the control plane asks of builders. */
import {
  type AttemptProgress,
  catalogue,
  type ClaimedAttempt,
  type ClaimInput,
  type ErrorInfo,
  type FinishAttemptInput,
  type PublishInput,
} from "@lamina/api";
import { randomUUID } from "node:crypto";
import { createRegistry } from "@lamina/registry";
import { connectNats, createLogger, feedWriter, type FeedWriter } from "@lamina/service";
import { pushImage } from "./image.ts";
import { type TestControlPlane, type TestPlace, worker } from "./platform.ts";

export interface FakeBuilder extends AsyncDisposable {
  /** Claims an attempt; undefined when there is nothing to claim. */
  claim(attempt: string): Promise<HeldAttempt | undefined>;
  /** Claims an attempt and makes all its layers. */
  make(attempt: string): Promise<void>;
}

export interface HeldAttempt {
  readonly id: string;
  readonly claimed: ClaimedAttempt;
  readonly feed: FeedWriter<AttemptProgress>;
  /** Pushes and publishes the layer with that index. */
  publish(index: number): Promise<void>;
  finish(error?: ErrorInfo): Promise<void>;
}

/** A builder of a control plane in this process. */
export function fakeBuilder(platform: TestControlPlane): Promise<FakeBuilder> {
  const { attempts } = platform.services;
  return fakeBuilderOf(platform, {
    claim: (input) => attempts.claim(worker, input),
    publish: (input) => attempts.publish(worker, input),
    finish: (input) => attempts.finish(worker, input),
  });
}

/** What a builder asks of the control plane. */
export interface AttemptCalls {
  claim(input: ClaimInput): Promise<ClaimedAttempt | null>;
  publish(input: PublishInput): Promise<void>;
  finish(input: FinishAttemptInput): Promise<void>;
}

export async function fakeBuilderOf({ config }: TestPlace, attempts: AttemptCalls): Promise<FakeBuilder> {
  const connection = await connectNats({ ...config.nats, name: "fake-builder" });
  const { events } = catalogue(config.namespace);
  const registry = createRegistry(config.registry);
  const logger = createLogger({ name: "fake-builder", level: "silent" });

  const claim = async (id: string): Promise<HeldAttempt | undefined> => {
    const claimed = await attempts.claim({ id, worker: "fake", nonce: randomUUID() });
    if (claimed === null) return undefined;
    const feed = await feedWriter<AttemptProgress>({
      connection,
      stream: events.stream,
      subject: events.subject(id),
      logger,
      onFenced: () => {},
    });
    const proof = { id, token: claimed.token };
    return {
      id,
      claimed,
      feed,
      async publish(index) {
        const layer = claimed.layers.find((candidate) => candidate.index === index);
        if (layer === undefined) throw new Error(`Layer ${index} is none of the attempt's.`);
        const image = await pushImage(registry.repository(claimed.repository), {
          blobs: Array.from({ length: index + 1 }, (_, blob) => `${layer.record} ${blob}`),
          annotations: {
            "dev.lamina.layer": layer.id,
            "dev.lamina.record": layer.record,
            ...(layer.parentRecord === null ? {} : { "dev.lamina.parent-record": layer.parentRecord }),
            "dev.lamina.builder-version": claimed.definition.builderVersion,
          },
        });
        await attempts.publish({ ...proof, layer: layer.id, digest: image.digest, bytes: 100 + index, seconds: 0.5 });
      },
      finish: (error) => attempts.finish({ ...proof, error }),
    };
  };
  return {
    claim,
    async make(attempt) {
      const held = await claim(attempt);
      if (held === undefined) throw new Error(`Attempt ${attempt} cannot be claimed.`);
      await held.feed.write({ type: "attempt-started", at: Date.now(), builder: "fake" });
      for (const { id: layer } of held.claimed.layers) {
        await held.feed.write({ type: "layer-started", at: Date.now(), layer });
        await held.feed.write({ type: "log", at: Date.now(), layer, line: `making ${layer}` });
        await held.feed.write({ type: "layer-built", at: Date.now(), layer, seconds: 0.5 });
      }
      await held.feed.flush();
      for (const { index } of held.claimed.layers.toReversed()) await held.publish(index);
      await held.finish();
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
