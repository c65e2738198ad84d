/** The table of flags that uv lacks, held against the uv of the builder version. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uv } from "@lamina/testkit";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { DEFAULT_BUILDER_VERSION, builderVersion } from "../src/index.ts";
import { uvUnderstands } from "../src/lower/pip-arguments.ts";

/** The flags of `pip install` up to pip 26; uv refuses an unknown one before it reads its value. */
const PIP_FLAGS = [
  "-r x --requirement=x -c x --constraint=x --build-constraint=x -e x --editable=x --group=x --no-deps --pre --dry-run -U --upgrade",
  "--upgrade-strategy=eager --force-reinstall -I --ignore-installed --ignore-requires-python --no-build-isolation --use-pep517 --no-use-pep517",
  "--check-build-dependencies -t x --target=x --platform=x --python-version=3.13 --implementation=cp --abi=abi3 --user --root=x --prefix=x --src=x",
  "--break-system-packages -C a=b --config-settings=a=b --global-option=x --compile --no-compile --no-warn-script-location --no-warn-conflicts",
  "--no-binary=a --only-binary=:all: --prefer-binary --all-releases=:all: --only-final=:all: --require-hashes --progress-bar=off",
  "--root-user-action=ignore --report=x --no-clean --requirements-from-script=x --uploaded-prior-to=2026-01-01",
  "-i https://x --index-url=https://x --extra-index-url=https://x --no-index -f x --find-links=x",
  "--debug --require-virtualenv --python=3 -v --verbose -q --quiet --log=x --no-input --keyring-provider=auto --keyring-provider=import",
  "--keyring-provider=disabled --keyring-provider=subprocess --proxy=x --retries=1 --timeout=1 --default-timeout=1 --resume-retries=1",
  "--exists-action=i --trusted-host=x --cert=x --client-cert=x --cache-dir=x --no-cache-dir --disable-pip-version-check --no-color",
  "--no-python-version-warning --use-feature=fast-deps --use-deprecated=legacy-resolver",
].flatMap((line) => line.split(" --").map((flag, index) => (index === 0 ? flag : `--${flag}`)));

// Some flags name directories, which uv makes.
const elsewhere = mkdtempSync(join(tmpdir(), "lamina-uv-"));
afterAll(() => rmSync(elsewhere, { recursive: true }));

test.each(PIP_FLAGS.flatMap((flags) => flags.split(/ (?=-[a-zA-Z])/)))("uv takes %s, or pip does", async (flag) => {
  const binary = await uv(builderVersion(DEFAULT_BUILDER_VERSION)?.uv ?? "");
  const args = flag.split(" ");
  const { stderr } = await execa(binary, ["pip", "install", "--offline", "--no-config", "--python", "/nowhere", ...args, "x"], {
    cwd: elsewhere,
    reject: false,
  });
  const taken = !/unexpected argument|unsupported|invalid value/.test(stderr);
  // uv is asked with a --python of our own here, so another one is one too many.
  expect(uvUnderstands(args)).toBe(taken || flag.startsWith("--python="));
});
