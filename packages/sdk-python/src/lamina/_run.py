"""What `lamina run` and `lamina deploy` have done for a file in Python: `python -m lamina._run run|deploy TARGET [--json] -- ARGUMENTS`."""

from __future__ import annotations

import importlib.util
import json
import os
import sys

_NEEDED = ("httpx", "zstandard") if sys.version_info >= (3, 11) else ("httpx", "zstandard", "tomli")
_BAD_USAGE = 2


def main() -> int:
    """Run the command; gives the exit code."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        what = f"{sys.executable} lacks {' and '.join(missing)}, which the Python package lamina needs"
        return _refused(f"{what}. Install: {sys.executable} -m pip install {' '.join(missing)}")
    # `-m` puts the working directory in front, where files of users may have the names of modules.
    sys.path = [place for place in sys.path if place not in ("", os.getcwd())]
    from ._cli.commands import execute

    return execute(sys.argv[1:])


def _refused(message: str) -> int:
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    if "--json" in own:
        sys.stdout.write(json.dumps({"type": "error", "code": "INVALID_INPUT", "message": message}) + "\n")
    else:
        sys.stderr.write(f"INVALID_INPUT: {message}\n")
    return _BAD_USAGE


if __name__ == "__main__":
    sys.exit(main())
