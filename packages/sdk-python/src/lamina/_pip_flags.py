"""The flags of the two programs that install Python packages, held against the vectors of `packages/ir`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Flags:
    """The flags of one program."""

    switches: frozenset[str]
    """Those without a value."""
    options: frozenset[str]
    """Those whose value is joined to them, or the next argument."""
    is_abbreviated: bool
    """Whether the beginning of a long name is enough. Where several begin so, the pip of the image says which is meant."""


UV_FLAGS = Flags(
    switches=frozenset(
        (
            "-U --all-extras --allow-python-downloads --break-system-packages --build --build-isolation --check --compile"
            " --compile-bytecode --deps --disable-pip-version-check --dry-run --exact --force-reinstall -h --help --inexact"
            " --isolated --managed-python -n --native-tls --no-all-extras --no-break-system-packages --no-build --no-build-isolation"
            " --no-cache --no-cache-dir --no-color --no-compile --no-compile-bytecode --no-config --no-deps --no-editable --no-exact"
            " --no-index --no-installer-metadata --no-managed-python --no-native-tls --no-offline --no-preview --no-progress"
            " --no-python-downloads --no-refresh --no-reinstall --no-require-build-hashes --no-require-hashes --no-sources"
            " --no-strict --no-system --no-system-certs --no-upgrade --no-verify-hashes --offline --pre --preview -q --quiet"
            " --refresh --reinstall --require-build-hashes --require-hashes --show-settings --strict --system --system-certs"
            " --upgrade -v --verbose --verify-hashes"
        ).split()
    ),
    options=frozenset(
        (
            "-C -P --allow-insecure-host -b --build-constraint --build-constraints -c --cache-dir --cert --color --config-file"
            " --config-setting --config-settings --config-settings-package --constraint --constraints --default-index --directory -e"
            " --editable --exclude --exclude-newer --exclude-newer-package --excludes --extra --extra-index-url -f --find-links"
            " --fork-strategy --group -i --index --index-strategy --index-url --keyring-provider --link-mode --no-binary"
            " --no-build-isolation-package --no-editable-package --no-sources-package --only-binary --output-format --override"
            " --overrides -p --prefix --prerelease --prerelease-package --preview-feature --preview-features --project --python"
            " --python-fetch --python-platform --python-preference --python-version -r --refresh-package --reinstall-package"
            " --requirement --requirements --resolution -t --target --torch-backend --trusted-host --upgrade-package"
        ).split()
    ),
    is_abbreviated=False,
)
"""Of `uv pip install` in the uv of the builder versions, but for those that it names only to refuse them."""

PIP_FLAGS = Flags(
    switches=frozenset(
        (
            "-I -U -V --break-system-packages --check-build-dependencies --compile --debug --disable-pip-version-check --dry-run"
            " --force-reinstall -h --help --ignore-installed --ignore-requires-python --isolated --no-build-isolation --no-cache-dir"
            " --no-clean --no-color --no-compile --no-dependencies --no-deps --no-index --no-input --no-proxy-env"
            " --no-python-version-warning --no-require-hashes --no-use-pep517 --no-user --no-warn-conflicts"
            " --no-warn-script-location --only-dependencies --only-deps --pre --prefer-binary --process-dependency-links -q --quiet"
            " --require-hashes --require-venv --require-virtualenv --upgrade --use-pep517 --user -v --verbose --version"
        ).split()
    ),
    options=frozenset(
        (
            "-C --abi --all-releases -b --build --build-constraint --build-dir --build-directory -c --cache-dir --cert"
            " --client-cert --config-settings --constraint --default-timeout -e --editable --exists-action --extra-index-url -f"
            " --find-links --global-option --group -i --implementation --index-url --install-option --keyring-provider --local-log"
            " --log --log-file --no-binary --only-binary --only-final --platform --prefix --progress-bar --proxy --pypi-url --python"
            " --python-version -r --refresh-package --report --requirement --requirements-from-script --resume-retries --retries"
            " --root --root-user-action --skip-requirements-regex --source --source-dir --source-directory --src -t --target"
            " --timeout --trusted-host --upgrade-strategy --uploaded-prior-to --use-deprecated --use-feature"
        ).split()
    ),
    is_abbreviated=True,
)
"""Of `pip install` from pip 18 to 26: which one an image has is known only while building."""


IDLE_FLAGS = frozenset("--check --dry-run -h --help --show-settings -V --version".split())
"""With these, and what an image's pip or uv takes for one of them, both say something and install nothing."""


def value_of_flag(argument: str, flags: Flags) -> str | None:
    """Where the value of a flag is: "none", "joined" or "next"; None for a flag that the program does not have."""
    return _value_of_name(argument, flags) if argument.startswith("--") else _value_of_letters(argument, flags)


def is_idle(argument: str, flags: Flags) -> bool:
    """Whether nothing is installed by the program that is given this argument."""
    return not IDLE_FLAGS.isdisjoint([_whole_name(argument, flags)] if argument.startswith("--") else _letters_of(argument, flags))


def _value_of_name(argument: str, flags: Flags) -> str | None:
    name = _whole_name(argument, flags)
    if name in flags.switches:
        return "none"
    if name not in flags.options:
        return None
    return "joined" if "=" in argument else "next"


def _whole_name(argument: str, flags: Flags) -> str:
    given = argument.split("=", 1)[0]
    if not flags.is_abbreviated or given == "--" or given in flags.switches | flags.options:
        return given
    return next((flag for flag in sorted(flags.switches | flags.options) if flag.startswith(given)), given)


def _value_of_letters(argument: str, flags: Flags) -> str | None:
    letters = _letters_of(argument, flags)
    last = letters[-1] if letters else ""
    if last in flags.switches:
        return "none"
    if last not in flags.options:
        return None
    return "next" if len(letters) == len(argument) - 1 else "joined"


def _letters_of(argument: str, flags: Flags) -> list[str]:
    """Letters without a value, and at the end one that may have one, whose value is what follows."""
    letters = [f"-{letter}" for letter in argument[1:]]
    last = next((index for index, letter in enumerate(letters) if letter not in flags.switches), len(letters))
    return letters[: last + 1]
