import { randomBytes, randomUUID } from "node:crypto";
import { findSecrets, watchProcesses } from "@lamina/testkit";
import { Image, Secret } from "lamina";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attemptsOf, eventsOfAttempt } from "./feed.ts";
import { build, DEBIAN, platform, type Platform } from "./platform.ts";

let here: Platform;
beforeAll(async () => void (here = await platform()));
afterAll(() => here[Symbol.asyncDispose]());

describe("the values of secrets", () => {
  test("reach the step that asks for them, and neither what the builder writes nor what it shows of itself", async () => {
    const value = `s3cr3t-${randomBytes(12).toString("hex")} "quoted" $x`;
    const variables = { TOKEN: value, SECOND: "line-one-of-two\nline-two-of-two" };
    const secrets = [Secret.fromDict(variables)];
    await using builder = await here.builderProcess();
    const whileItRuns: ReturnType<typeof findSecrets>[] = [];
    const watch = watchProcesses(variables);
    const image = Image.debianSlim(DEBIAN)
      .env({ NEVER_CACHED: randomUUID() })
      .runCommands(
        '[ "${#TOKEN}" = 43 ]',
        'echo "the token is $TOKEN"',
        'printf "%.9s" "$TOKEN"; sleep 0.2; echo "${TOKEN#?????????}"; echo "$SECOND"',
        {
          secrets,
        },
      )
      .runCommands("sleep 1", { secrets });
    const outcome = await build(here, image, (event) => {
      if (event.type === "log" && event.line.startsWith("the token is"))
        whileItRuns.push(findSecrets(variables, { directories: [builder.state] }));
    });
    await watch.stop();
    expect(outcome.error).toBeUndefined();
    const [attempt = ""] = attemptsOf(outcome);
    const lines = (await eventsOfAttempt(here, attempt)).flatMap((event) => (event.type === "log" ? [event.line] : []));
    expect(lines).toContain("the token is ***");
    expect(lines.filter((line) => line === "***")).toHaveLength(3);
    expect(await Promise.all(whileItRuns)).toEqual([[]]);
    expect(await findSecrets(variables, { texts: { events: JSON.stringify(outcome.events), log: builder.log() } })).toEqual([]);
    const ours = watch.seen().filter(({ place, command }) => place === "arguments" || /buildctl|main\.ts/.test(command));
    expect(ours).toEqual([]);
  });

  test("are taken out of errors", async () => {
    await using _builder = await here.builder();
    const secrets = [Secret.fromDict({ TOKEN: "very-secret-value" })];
    const { error } = await build(here, Image.debianSlim(DEBIAN).runCommands('echo "with $TOKEN"', "echo $TOKEN; exit 3", { secrets }));
    expect(error?.info).toMatchObject({ code: "STEP_FAILED", exitCode: 3, command: "echo $TOKEN; exit 3" });
    expect(error?.info.lastLines).toContain("with ***");
    expect(JSON.stringify(error?.info)).not.toContain("very-secret-value");
  });
});
