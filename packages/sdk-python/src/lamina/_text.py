"""Small things about text and paths that have to be as in the SDK for TypeScript, for the same ids."""

from __future__ import annotations

import json

# What ECMAScript's trim takes off; Python's strip takes some control characters too, and leaves the byte order mark.
_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def trim(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip(_SPACE)


def quoted(text: str) -> str:
    """The text as people see that it is one."""
    return json.dumps(text, ensure_ascii=False)


def normal_path(path: str) -> str:
    """A path in its normal form: `a//b/./c/../d` is `a/b/d`. A slash at the end stays, and an empty path is `.`."""
    is_absolute = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".." or not is_absolute:
            parts.append(part)
    joined = "/".join(parts)
    end = "/" if path.endswith("/") else ""
    if joined == "":
        return "/" if is_absolute else f".{end}"
    return f"{'/' if is_absolute else ''}{joined}{end}"
