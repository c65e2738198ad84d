import { describe, expect, test } from "vitest";
import type { ResolvedStep } from "../../src/index.ts";
import { file, fixtureTree } from "../golden/fixture-tree.ts";
import { wheelIndex } from "../golden/wheel-index.ts";
import { wheel } from "../golden/wheel.ts";
import { derived, pythonBase, shellBase } from "./bases.ts";
import { build, expectBuilt, expectFailed } from "./build.ts";
import { inspect } from "./inspect.ts";

const repository = "test/pip";
const wheels = fixtureTree(file(wheel.olderFileName, wheel.older), file(wheel.newerFileName, wheel.newer));
const older = fixtureTree(file(wheel.olderFileName, wheel.older));
const copyWheels = { kind: "copyLocalDir", tree: wheels.digest, destination: "/wheels" } as const;
const offline = ["--no-index", "--find-links", "/wheels"];
const pip = (...args: string[]): Extract<ResolvedStep, { kind: "pipInstall" }> => ({ kind: "pipInstall", arguments: args });
const versionIs = (version: string, python = "python3") =>
  `[ "$(${python} -c 'import lamina_sample; print(lamina_sample.VERSION)')" = ${version} ]`;

describe.each([
  { installer: "uv", flags: offline },
  { installer: "pip, for a flag that uv lacks", flags: [...offline, "--prefer-binary"] },
])("packages by $installer", ({ flags }) => {
  test("leave nothing but themselves, with byte code that names the hash of its source", async () => {
    const steps = [copyWheels, pip("lamina-sample<2", ...flags)];
    const { digest } = expectBuilt(
      await build({ from: await pythonBase(), steps, trees: [wheels], output: { kind: "image", repository } }),
    );
    const [layer = []] = (await inspect(repository, digest, 1)).layers;
    const files = layer.filter(({ type }) => type === "file");
    expect(files.filter(({ name }) => !/\/(dist|site)-packages\/(__pycache__\/)?lamina_sample/.test(name))).toEqual([]);
    const [byteCode] = files.filter(({ name }) => name.endsWith(".pyc"));
    // PEP 552: 3 stands for a hash that is checked.
    expect(byteCode?.content.readUInt32LE(4)).toBe(3);
  });

  test("that are there already are left as they are, byte code included", async () => {
    const steps = [copyWheels, pip("lamina-sample<2", ...flags), pip("lamina-sample<2", ...flags)];
    const { digest } = expectBuilt(
      await build({ from: await pythonBase(), steps, trees: [wheels], output: { kind: "image", repository } }),
    );
    const [layer = []] = (await inspect(repository, digest, 1)).layers;
    expect(layer.filter(({ type }) => type === "file")).toEqual([]);
  });

  test("take each argument as it is", async () => {
    const args = [
      ["lamina-sample>=1,<2"],
      ['lamina-sample<2; platform_system != "$(touch /tmp/pwned)"'],
      ["/; touch /tmp/pwned"],
      ["/$(touch /tmp/pwned)"],
      ["/`touch /tmp/pwned`"],
      ["/lamina-sample\ntouch /tmp/pwned"],
      ["/a'; touch /tmp/pwned; '"],
    ];
    const from = await pythonBase();
    const outcomes = await Promise.all(args.map((words) => build({ from, steps: [copyWheels, pip(...words, ...flags)], trees: [wheels] })));
    expect(outcomes.map(({ status }) => status)).toEqual(["built", "built", ...Array(5).fill("failed")]);
    const look = [versionIs("1.0"), "! ls '/=1,<2' '=1,<2' 2>/dev/null", "! ls /tmp/pwned 2>/dev/null"];
    expectBuilt(await build({ from, steps: [copyWheels, pip("lamina-sample>=1,<2", ...flags)], trees: [wheels], look }));
  });

  test("come into a virtual environment that is first on the PATH", async () => {
    const from = await derived(await pythonBase(), 'RUN python3 -m venv /venv\nENV PATH="/venv/bin:$PATH"');
    const look = [versionIs("2.0"), '[ -n "$(find /venv -name lamina_sample.py)" ] && ! find /usr -name lamina_sample.py | grep .'];
    expectBuilt(await build({ from, steps: [copyWheels, pip("lamina-sample", ...flags)], trees: [wheels], look }));
  });

  test("come into a Python that Debian calls externally managed", async () => {
    const from = await derived(
      await pythonBase(),
      "RUN touch $(python3 -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"))')/EXTERNALLY-MANAGED",
    );
    expectBuilt(await build({ from, steps: [copyWheels, pip("lamina-sample", ...flags)], trees: [wheels], look: [versionIs("2.0")] }));
  });

  test("are the best that any index has", async () => {
    await using index = await wheelIndex("t0ken");
    const secrets = { TOKEN: "t0ken", HOST: index.host };
    const url = "http://token:${TOKEN}@${HOST}/simple/";
    const flag = flags.slice(offline.length);
    const step = { ...pip(...flag, "--index-url", url, "--find-links", "/wheels", "lamina-sample"), secrets: ["HOST", "TOKEN"] };
    const steps = [{ ...copyWheels, tree: older.digest }, step];
    expectBuilt(await build({ from: await pythonBase(), steps, trees: [older], secrets, look: [versionIs("2.0")] }));
  });

  test("from an index that wants a token: it is in no layer, history or name", async () => {
    await using index = await wheelIndex("t0ken-in-the-clear");
    const secrets = { package_token: "t0ken-in-the-clear" };
    const flag = flags.slice(offline.length);
    const step = {
      ...pip(...flag, "--no-deps", `lamina-sample @ http://token:\${package_token}@${index.host}/files/${wheel.newerFileName}`),
      secrets: Object.keys(secrets).sort(),
    };
    const outcome = expectBuilt(await build({ from: await pythonBase(), steps: [step], secrets, output: { kind: "image", repository } }));
    const { layers, rawConfig } = await inspect(repository, outcome.digest, 1);
    expect(layers.flat().filter(({ content }) => content.includes(secrets.package_token))).toEqual([]);
    expect([rawConfig, ...outcome.names].join("\n")).not.toContain(secrets.package_token);
  });
});

test.each([
  { flag: "--target", place: "/opt/packages" },
  { flag: "--prefix", place: "/opt/prefix" },
])("packages that $flag puts elsewhere have their byte code there", async ({ flag, place }) => {
  const steps = [copyWheels, pip("lamina-sample<2", flag, place, ...offline)];
  const { digest } = expectBuilt(await build({ from: await pythonBase(), steps, trees: [wheels], output: { kind: "image", repository } }));
  const [layer = []] = (await inspect(repository, digest, 1)).layers;
  const byteCode = layer.filter(({ name }) => name.endsWith(".pyc"));
  expect(byteCode.map(({ content }) => content.readUInt32LE(4))).toEqual([3]);
  expect(byteCode[0]?.name).toMatch(new RegExp(`^${place.slice(1)}/.*__pycache__/lamina_sample\\.`));
});

test("uv prints no secret", async () => {
  await using index = await wheelIndex("t0ken-in-the-clear");
  const secrets = { TOKEN: "t0ken-in-the-clear", HOST: index.host };
  const step = { ...pip("--index-url", "http://token:${TOKEN}@${HOST}/simple/", "-v", "lamina-sample"), secrets: ["HOST", "TOKEN"] };
  const outcome = expectBuilt(await build({ from: await pythonBase(), steps: [step], secrets, noCache: ["lamina-1"] }));
  expect(outcome.lines.join("\n")).not.toContain(secrets.TOKEN);
});

describe.each([
  { installer: "uv", flags: [] },
  { installer: "pip, for a flag that uv lacks", flags: ["--prefer-binary"] },
])("private sources that options name are read by $installer with the token of a secret", ({ flags }) => {
  const url = (index: string, path: string) => `http://token:\${TOKEN_${index}}@\${HOST_${index}}${path}`;
  const secrets = ["HOST_A", "HOST_B", "TOKEN_A", "TOKEN_B"];

  test.each([
    { option: "indexUrl", step: { arguments: ["lamina-sample", ...flags], indexUrl: url("B", "/simple/") } },
    {
      option: "extraIndexUrl, beside another private one",
      step: { arguments: ["lamina-sample", ...flags], indexUrl: url("A", "/simple/"), extraIndexUrl: url("B", "/simple/") },
    },
    { option: "findLinks", step: { arguments: ["lamina-sample", "--no-index", ...flags], findLinks: url("B", "/files/") } },
  ])("$option", async ({ step }) => {
    await using empty = await wheelIndex("t0ken-of-a", { name: "another-1.0-py3-none-any.whl", content: Buffer.of() });
    await using index = await wheelIndex("t0ken-of-b");
    const values = { TOKEN_A: "t0ken-of-a", TOKEN_B: "t0ken-of-b", HOST_A: empty.host, HOST_B: index.host };
    const steps = [{ kind: "pipInstall" as const, ...step, secrets }];
    const outcome = await build({ from: await pythonBase(), steps, secrets: values, look: [versionIs("2.0")] });
    expect(expectBuilt(outcome).lines.join("\n")).not.toContain("t0ken-of-");
  });
});

test("requirements are read in the image, relative to its working directory", async () => {
  const tree = fixtureTree(file("requirements.txt", "lamina-sample==1.0\n"));
  const steps = [
    { kind: "workdir" as const, path: "/app" },
    copyWheels,
    { kind: "copyLocalFile" as const, tree: tree.digest, destination: "requirements.txt" },
    pip("-r", "requirements.txt", ...offline),
  ];
  expectBuilt(await build({ from: await pythonBase(), steps, trees: [wheels, tree], look: [versionIs("1.0")] }));
});

test("the index of pip's own settings in the image is asked", async () => {
  await using index = await wheelIndex("t0ken");
  const url = `http://token:t0ken@${index.host}/simple/`;
  const byEnvironment = [{ kind: "env" as const, variables: { PIP_INDEX_URL: url } }, pip("lamina-sample")];
  expectBuilt(await build({ from: await pythonBase(), steps: byEnvironment, look: [versionIs("2.0")] }));
  const settings = fixtureTree(file("pip.conf", `[global]\nindex-url = ${url}\n`));
  const byFile = [{ kind: "copyLocalFile" as const, tree: settings.digest, destination: "/etc/pip.conf" }, pip("lamina-sample")];
  expectBuilt(await build({ from: await pythonBase(), steps: byFile, trees: [settings], look: [versionIs("2.0")] }));
});

test("an image without Python is told apart from a package that cannot be had", async () => {
  const without = expectFailed(await build({ from: await shellBase(), steps: [pip("lamina-sample", ...offline)] }));
  expect(without.lines).toContain("This image has no Python: start from Image.debianSlim(), or install python3 before pipInstall.");
  expect(without.failed).toMatchObject({ index: 1, count: 1, status: 127 });
  const unknown = expectFailed(
    await build({ from: await pythonBase(), steps: [copyWheels, pip("lamina-no-such", ...offline)], trees: [wheels] }),
  );
  expect(unknown.lines.join("\n")).toContain("lamina-no-such");
  expect(unknown.failed?.command).toMatch(/^uv pip install .* lamina-no-such --no-index --find-links \/wheels$/);
});
