/**
 * The flags of the two programs that install Python packages. A flag that is missing here is refused at the call, so what is here is
 * held against the programs themselves, and other languages hold theirs against `vectors/pip-flags.json`.
 */

/** The flags of one program. */
export interface Flags {
  /** Those without a value. */
  readonly switches: ReadonlySet<string>;
  /** Those whose value is joined to them, or the next argument. */
  readonly options: ReadonlySet<string>;
  /** Whether the beginning of a long name is enough. Where several begin so, the pip of the image says which is meant. */
  readonly isAbbreviated: boolean;
}

/** Of `uv pip install` in the uv of the builder versions, but for those that it names only to refuse them. */
export const UV_FLAGS: Flags = {
  switches: listed(
    "-U --all-extras --allow-python-downloads --break-system-packages --build --build-isolation --check --compile --compile-bytecode",
    "--deps --disable-pip-version-check --dry-run --exact --force-reinstall -h --help --inexact --isolated --managed-python -n",
    "--native-tls --no-all-extras --no-break-system-packages --no-build --no-build-isolation --no-cache --no-cache-dir --no-color",
    "--no-compile --no-compile-bytecode --no-config --no-deps --no-editable --no-exact --no-index --no-installer-metadata",
    "--no-managed-python --no-native-tls --no-offline --no-preview --no-progress --no-python-downloads --no-refresh --no-reinstall",
    "--no-require-build-hashes --no-require-hashes --no-sources --no-strict --no-system --no-system-certs --no-upgrade",
    "--no-verify-hashes --offline --pre --preview -q --quiet --refresh --reinstall --require-build-hashes --require-hashes",
    "--show-settings --strict --system --system-certs --upgrade -v --verbose --verify-hashes",
  ),
  options: listed(
    "-C -P --allow-insecure-host -b --build-constraint --build-constraints -c --cache-dir --cert --color --config-file --config-setting",
    "--config-settings --config-settings-package --constraint --constraints --default-index --directory -e --editable --exclude",
    "--exclude-newer --exclude-newer-package --excludes --extra --extra-index-url -f --find-links --fork-strategy --group -i --index",
    "--index-strategy --index-url --keyring-provider --link-mode --no-binary --no-build-isolation-package --no-editable-package",
    "--no-sources-package --only-binary --output-format --override --overrides -p --prefix --prerelease --prerelease-package",
    "--preview-feature --preview-features --project --python --python-fetch --python-platform --python-preference --python-version -r",
    "--refresh-package --reinstall-package --requirement --requirements --resolution -t --target --torch-backend --trusted-host",
    "--upgrade-package",
  ),
  isAbbreviated: false,
};

/** Of `pip install` from pip 18 to 26: which one an image has is known only while building. */
export const PIP_FLAGS: Flags = {
  switches: listed(
    "-I -U -V --break-system-packages --check-build-dependencies --compile --debug --disable-pip-version-check --dry-run",
    "--force-reinstall -h --help --ignore-installed --ignore-requires-python --isolated --no-build-isolation --no-cache-dir --no-clean",
    "--no-color --no-compile --no-dependencies --no-deps --no-index --no-input --no-proxy-env --no-python-version-warning",
    "--no-require-hashes --no-use-pep517 --no-user --no-warn-conflicts --no-warn-script-location --only-dependencies --only-deps --pre",
    "--prefer-binary --process-dependency-links -q --quiet --require-hashes --require-venv --require-virtualenv --upgrade --use-pep517",
    "--user -v --verbose --version",
  ),
  options: listed(
    "-C --abi --all-releases -b --build --build-constraint --build-dir --build-directory -c --cache-dir --cert --client-cert",
    "--config-settings --constraint --default-timeout -e --editable --exists-action --extra-index-url -f --find-links --global-option",
    "--group -i --implementation --index-url --install-option --keyring-provider --local-log --log --log-file --no-binary --only-binary",
    "--only-final --platform --prefix --progress-bar --proxy --pypi-url --python --python-version -r --refresh-package --report",
    "--requirement --requirements-from-script --resume-retries --retries --root --root-user-action --skip-requirements-regex --source",
    "--source-dir --source-directory --src -t --target --timeout --trusted-host --upgrade-strategy --uploaded-prior-to --use-deprecated",
    "--use-feature",
  ),
  isAbbreviated: true,
};

/** With these, and what an image's pip or uv takes for one of them, both say something and install nothing. */
export const IDLE_FLAGS = listed("--check --dry-run -h --help --show-settings -V --version");

/** Whether nothing is installed by the program that is given this argument. */
export function isIdle(argument: string, flags: Flags): boolean {
  return argument.startsWith("--")
    ? IDLE_FLAGS.has(wholeName(argument, flags))
    : lettersOf(argument, flags).some((letter) => IDLE_FLAGS.has(letter));
}

/** Where the value of a flag is; undefined for a flag that the program does not have. */
export function valueOfFlag(argument: string, flags: Flags): "none" | "joined" | "next" | undefined {
  return argument.startsWith("--") ? valueOfName(argument, flags) : valueOfLetters(argument, flags);
}

function valueOfName(argument: string, flags: Flags): ReturnType<typeof valueOfFlag> {
  const name = wholeName(argument, flags);
  if (flags.switches.has(name)) return "none";
  if (!flags.options.has(name)) return undefined;
  return argument.includes("=") ? "joined" : "next";
}

function wholeName(argument: string, { switches, options, isAbbreviated }: Flags): string {
  const [given = ""] = argument.split("=", 1);
  const isWhole = switches.has(given) || options.has(given) || given === "--" || !isAbbreviated;
  return isWhole ? given : ([...switches, ...options].toSorted().find((flag) => flag.startsWith(given)) ?? given);
}

function valueOfLetters(argument: string, flags: Flags): ReturnType<typeof valueOfFlag> {
  const letters = lettersOf(argument, flags);
  const last = letters.at(-1) ?? "";
  if (flags.switches.has(last)) return "none";
  if (!flags.options.has(last)) return undefined;
  return letters.length === argument.length - 1 ? "next" : "joined";
}

/** Letters without a value, and at the end one that may have one, whose value is what follows. */
function lettersOf(argument: string, { switches }: Flags): string[] {
  const letters = Array.from(argument.slice(1), (letter) => `-${letter}`);
  const last = letters.findIndex((letter) => !switches.has(letter));
  return last === -1 ? letters : letters.slice(0, last + 1);
}

function listed(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}
