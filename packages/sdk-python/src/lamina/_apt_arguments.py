"""What is wrong with the arguments of an apt_install, as far as that can be known before packages are looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._text import quoted


def package_names_fault(arguments: Sequence[str]) -> str | None:
    """The first fault among the names of packages."""
    names = [one for previous, one in zip(["", *arguments], arguments) if not one.startswith("-") and previous not in _OPTIONS]
    if not names:
        return "there is no package, but flags alone"
    wrong = next((name for name in names if not _is_package(name)), None)
    if wrong is None:
        return None
    is_several = re.search(r"\s", wrong) is not None
    kin = 'it is like "git", "libc6:amd64", "nginx=1.26.3-3" or "./local.deb"'
    return f"{quoted(wrong)} is not the name of a package: {'give each as an argument of its own' if is_several else kin}"


# Options of apt-get whose value is the next argument.
_OPTIONS = frozenset(
    "-o --option -t --target-release --default-release -c --config-file -a --host-architecture -P --build-profiles".split()
)
# A name with its architecture, its version or release, and what `+`, `-` or `^` at its end mean to apt.
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(\^|=[\w.+:~*-]+|/[\w.+/-]+)?[+-]?", re.ASCII)
# What apt finds names by: globs, expressions and patterns, which it alone knows to read.
_SEARCH = re.compile(r"^[?~!^]|[*?\[\]()$|]")
_FILE = re.compile(r"\.{0,2}/")


def _is_package(name: str) -> bool:
    if re.search(r"\s", name):
        return False
    return _PACKAGE.fullmatch(name) is not None or _SEARCH.search(name) is not None or _FILE.match(name) is not None
