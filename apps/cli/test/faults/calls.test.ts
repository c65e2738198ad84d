/**
 * Many calls while their containers are killed one after the other, and their runner twice. Each call ends once, with what its own input
 * comes to or with why it was cut off, and nothing is left behind.
 */
import { functionLeftovers, functionProcesses, killServer, leftovers, readFaultConfig, seededRandom, tinyPython } from "@lamina/testkit";
import { LaminaError } from "lamina";
import { Client as Database } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultSite, type Site } from "./site.ts";
import { squaresOn, type Square } from "./squares/app.ts";

/** So many calls end between two containers that are killed. */
const CALLS_A_KILL = 200;
/** Shares of the calls after which the runner is killed. */
const RUNNER_KILLS = [1 / 3, 2 / 3];
const CUT_OFF = ["CALL_CRASHED", "CALL_LOST"];

const { seed, calls } = readFaultConfig();

let site: Site;
beforeAll(async () => {
  site = await faultSite({ runner: true });
  process.env["LAMINA_URL"] = site.platform.url;
  process.env["LAMINA_TOKEN"] = site.platform.clientToken;
});
afterAll(() => site?.[Symbol.asyncDispose]());

type Result = Awaited<ReturnType<Square>>;
interface Failure {
  readonly of: number;
  readonly error: Error;
}

test(
  `each of ${calls} calls ends once while containers and the runner are killed (LAMINA_TEST_SEED=${seed})`,
  { timeout: 60_000 + calls * 100 },
  async ({ onTestFailed }) => {
    onTestFailed(async () => console.error(`The logs are kept in ${await site.keepLogs()}`));
    const { app, triedAgain, triedOnce } = squaresOn(await tinyPython(site.servers.registry));
    await app.deploy();
    const strikes = startStrikes();
    const inputs = Array.from({ length: Math.floor(calls / 2) }, (_, index) => index);
    const mapped = async (called: typeof triedAgain, mappedInputs: readonly number[]): Promise<(Result | Failure)[]> => {
      const outcomes: (Result | Failure)[] = [];
      const onError = (error: Error, index: number) => ({ of: mappedInputs[index] ?? -1, error });
      for await (const outcome of called.map(mappedInputs, { ordered: false, onError })) {
        outcomes.push(outcome);
        strikes.callEnded();
      }
      return outcomes;
    };
    /** One after the other, by so many callers at once. */
    const called = async (callers: number, calledInputs: readonly number[]): Promise<(Result | Failure)[]> => {
      const left = calledInputs.values();
      const outcomes: (Result | Failure)[] = [];
      const call = async (): Promise<void> => {
        for (const of of left) {
          outcomes.push(await triedOnce.remote(of).catch((error: Error) => ({ of, error })));
          strikes.callEnded();
        }
      };
      await Promise.all(Array.from({ length: callers }, call));
      return outcomes;
    };
    const half = Math.floor(inputs.length / 2);
    const [again, ...parts] = await Promise.all([
      mapped(triedAgain, inputs),
      mapped(triedOnce, inputs.slice(0, half)),
      called(3, inputs.slice(half)),
    ]);
    const once = parts.flat();
    expect(await strikes.done()).toEqual({ containers: Math.ceil((inputs.length * 2) / CALLS_A_KILL) - 1, runners: RUNNER_KILLS.length });

    for (const outcomes of [again, once]) expect(outcomes.map(({ of }) => of).toSorted((a, b) => a - b)).toEqual(inputs);
    // Of a call that throws at each try, the last one may be the one that is cut off.
    const ownEnd = again.filter((outcome) => !(throwsItself(outcome.of) && isCutOff(outcome)));
    expect(ownEnd.map(told)).toEqual(ownEnd.map(({ of }) => ownOutcome(of)));
    const notCutOff = once.filter((outcome) => !isCutOff(outcome));
    expect(notCutOff.map(told)).toEqual(notCutOff.map(({ of }) => ownOutcome(of)));
    expect(await recorded()).toEqual({
      "tried-again": countsOf(again),
      "tried-once": countsOf(once),
    });

    await site.client.apps.stop("squares");
    const left = async () => [...(await functionLeftovers(site.platform, site.servers)), ...(await leftovers(site.platform, site.servers))];
    await expect.poll(left, { timeout: 60_000, interval: 250 }).toEqual([]);
  },
);

/** What is told of a call that was not cut off. */
function ownOutcome(input: number): object {
  return throwsItself(input) ? { of: input, threw: `ValueError: no square of ${input}` } : { of: input, is: input * input };
}

function throwsItself(input: number): boolean {
  return input % 50 === 0;
}

function told(outcome: Result | Failure): object {
  return "error" in outcome ? { of: outcome.of, threw: `${outcome.error.name}: ${outcome.error.message}` } : outcome;
}

/** It says why, in words. */
function isCutOff(outcome: Result | Failure): boolean {
  return "error" in outcome && outcome.error instanceof LaminaError && CUT_OFF.includes(outcome.error.code) && outcome.error.message !== "";
}

type Counts = Readonly<Record<string, number>>;

function countsOf(outcomes: readonly (Result | Failure)[]): Counts {
  const failed = outcomes.filter((outcome) => "error" in outcome).length;
  return { done: outcomes.length - failed, failed };
}

/** How many calls of each function the database has, by their states. */
async function recorded(): Promise<Record<string, Counts>> {
  // Answered when all that was told is recorded.
  await site.client.calls.list({ limit: 1 });
  const database = new Database({ connectionString: site.platform.databaseUrl });
  await database.connect();
  try {
    const { rows } = await database.query<{ name: string; counts: Counts }>(
      `SELECT name, json_object_agg(state, calls) AS counts FROM (
         SELECT f.name, c.state, count(*)::int AS calls FROM call c JOIN function_version f ON f.id = c.function_id GROUP BY f.name, c.state
       ) counted GROUP BY name`,
    );
    return Object.fromEntries(rows.map(({ name, counts }) => [name, counts]));
  } finally {
    await database.end();
  }
}

interface Struck {
  readonly containers: number;
  readonly runners: number;
}

/** Kills as calls end, one thing after the other. */
function startStrikes() {
  const random = seededRandom(seed);
  const struck = { containers: 0, runners: 0 };
  let ended = 0;
  let striking = Promise.resolve();
  const afterOthers = (strike: () => Promise<void>): void => {
    striking = striking.then(strike);
    striking.catch(() => undefined);
  };
  const runnerKills = new Set(RUNNER_KILLS.map((share) => Math.floor(share * calls)));
  const killContainer = async (): Promise<void> => {
    for (;;) {
      const found = await functionProcesses(site.platform);
      const victim = found[Math.floor(random.between(0, found.length))];
      if (victim === undefined || !killed(victim.pid)) continue;
      struck.containers += 1;
      return;
    }
  };
  const killRunner = async (): Promise<void> => {
    const back = site.isBack("runner");
    await killServer(site.platform.directory, "runner");
    await back;
    struck.runners += 1;
  };
  return {
    callEnded(): void {
      ended += 1;
      if (runnerKills.has(ended)) afterOthers(killRunner);
      if (ended % CALLS_A_KILL === 0 && ended < calls) afterOthers(killContainer);
    },
    async done(): Promise<Struck> {
      await striking;
      return struck;
    },
  };
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
