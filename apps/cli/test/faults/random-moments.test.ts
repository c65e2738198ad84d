/**
 * Each process and server is killed, and stopped for a while, at random moments of a build. What is promised then
 * holds whatever the moment: the build goes on or says why it failed, its events are told once, the same build
 * again works, and nothing is left behind.
 */
import { setTimeout as delay } from "node:timers/promises";
import { freezeServer, killServer, leftovers, type Random, readFaultConfig, seededRandom } from "@lamina/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build, faultSite, LEASE_SECONDS, type Outcome, type Site } from "./site.ts";
import { expectToldOnce } from "./told-once.ts";

const TARGETS = ["builder", "control-plane", "nats", "postgres", "registry", "buildkitd"] as const;
const FAULTS = ["kill -9", "SIGSTOP"] as const;
/** Why a build may end when something is lost under it; none of them leaves open what happened. */
const REASONS = ["REGISTRY_UNAVAILABLE", "BUILD_FAILED", "ATTEMPT_LOST", "UNREACHABLE"];

/** Less than it takes to find out by its silence alone that a connection is dead. */
const TIMEOUT_MS = 45_000;

const { seed, moments } = readFaultConfig();

interface Moment {
  /** The share of the events of a build after which it comes. */
  readonly share: number;
  readonly laterMs: number;
  /** How long a stopped process is stopped: sometimes less than a lease, sometimes more. */
  readonly stoppedMs: number;
}

const random = seededRandom(seed);
const plan = Array.from({ length: moments }, () =>
  TARGETS.flatMap((target) => FAULTS.map((fault) => ({ target, fault, moment: drawMoment(random) }))),
).flat();

function drawMoment(random: Random): Moment {
  return {
    share: random.between(0, 1),
    laterMs: Math.floor(random.between(0, 150)),
    stoppedMs: Math.floor(random.between(200, LEASE_SECONDS * 1_500)),
  };
}

describe.concurrent.each(TARGETS)(`%s (LAMINA_TEST_SEED=${seed})`, (target) => {
  let site: Site;
  let eventsOfABuild: number;
  beforeAll(async () => {
    site = await faultSite();
    const { error, events } = await build({ client: site.client, image: await site.newImage() });
    if (error !== undefined) throw error;
    eventsOfABuild = events.length;
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  const strike = async (fault: (typeof FAULTS)[number], { laterMs, stoppedMs }: Moment): Promise<void> => {
    const directory = site.directoryOf(target);
    await delay(laterMs);
    if (fault === "kill -9") {
      const back = site.isBack(target);
      await killServer(directory, target);
      return back;
    }
    const { thaw } = await freezeServer(directory, target);
    await delay(stoppedMs);
    thaw();
  };

  for (const [index, { fault, moment }] of plan.filter((strike) => strike.target === target).entries()) {
    const when = `after ${Math.round(moment.share * 100)} % of its events and ${moment.laterMs} ms`;
    const howLong = fault === "SIGSTOP" ? `, for ${moment.stoppedMs} ms` : "";
    test(
      `a build stands ${fault}, ${index + 1}: ${when}${howLong}`,
      { concurrent: false, timeout: TIMEOUT_MS },
      async ({ expect: expectHere, onTestFailed }) => {
        onTestFailed(async () => console.error(`The logs are kept in ${await site.keepLogs()}`));
        const image = await site.newImage();
        let heard = 0;
        let struck: Promise<void> | undefined;
        const strikeWhenDue = (): void => {
          if (heard >= Math.floor(moment.share * eventsOfABuild)) struck ??= strike(fault, moment);
        };
        strikeWhenDue();
        const onEvent = (): void => {
          heard += 1;
          strikeWhenDue();
        };
        const outcome = await build({ client: site.client, image, onEvent });
        await (struck ?? strike(fault, moment));
        expectReason(outcome);

        const again = await build({ client: site.client, image });
        expect(again.error).toBeUndefined();
        await expectHere.poll(() => leftovers(site.platform, site.servers), { timeout: 20_000, interval: 250 }).toEqual([]);
        await expectToldOnce(site.platform.databaseUrl, outcome.events);
        await expectToldOnce(site.platform.databaseUrl, again.events);
      },
    );
  }
});

/** It is done, or ended with one of the reasons that are allowed, said in words. */
function expectReason({ error }: Outcome): void {
  if (error === undefined) return;
  expect(REASONS, `${error.code}: ${error.message}`).toContain(error.code);
  expect(error.message).not.toBe("");
}
