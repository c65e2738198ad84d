r"""One pattern of a .dockerignore.

`*`, `?` and `[…]` stand within a name, `**` over any number of directories, and `\` before what means itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable


def pattern_fault(pattern: str) -> str | None:
    """What is wrong with a pattern, in words that end a sentence; None when nothing is."""
    if pattern == "":
        return "there is nothing after the !"
    rest = _WHOLE.sub("", pattern)
    if rest != "":
        return "a [ has no ] after it, or nothing between them" if rest.startswith("[") else "there is nothing after the \\ at its end"
    try:
        _expression_of(pattern)
    except re.error:
        return "a range between [ and ] runs backwards"
    return None


def matcher_of(pattern: str) -> Callable[[str], bool]:
    """Whether a path is what the pattern means. ValueError for a pattern that has a fault."""
    fault = pattern_fault(pattern)
    if fault is not None:
        raise ValueError(f'"{pattern}" is no pattern: {fault}')
    if not _WILD.search(pattern):
        return lambda path: path == pattern
    # BuildKit compares two stars alone at one end as text, so that "**a" matches "ba" too.
    suffix, prefix = pattern[2:], pattern[:-2]
    if pattern.startswith("**") and not _WILD.search(suffix):
        return lambda path: path.endswith(suffix) or f"/{path}" == suffix
    if pattern.endswith("**") and not _WILD.search(prefix):
        return lambda path: path.startswith(prefix)
    expression = _expression_of(pattern)
    return lambda path: expression.fullmatch(path) is not None


_WILD = re.compile(r"[*?\[\]\\]")
# Of characters and ranges; `^` in front means all others.
_CLASS = r"\[\^?(?:(?:\\.|[^\]\\-])(?:-(?:\\.|[^\]\\-]))?)+\]"
# What is right as it is.
_WHOLE = re.compile(rf"{_CLASS}|\\.|[^\[\\]", re.DOTALL)
_TOKEN = re.compile(rf"\*\*/?|\*|\?|{_CLASS}|\\.|.", re.DOTALL)
# What `.` does not match to ECMAScript.
_LINE_ENDS = "\n\r\u2028\u2029"


def _expression_of(pattern: str) -> re.Pattern[str]:
    return re.compile(_TOKEN.sub(lambda token: _source_of(token[0], is_last=token.end() == len(pattern)), pattern))


def _source_of(token: str, *, is_last: bool) -> str:
    if token.startswith("**"):
        return f"[^{_LINE_ENDS}]*" if is_last else f"(?:[^{_LINE_ENDS}]*/)?"
    if token == "*":
        return "[^/]*"
    if token == "?":
        return "[^/]"
    if token.startswith("[") and len(token) > 1:
        return _class_source(token)
    return re.escape(token[1:] if len(token) > 1 and token.startswith("\\") else token)


def _class_source(token: str) -> str:
    members = token[1:-1]
    negation = "^" if members.startswith("^") else ""
    escaped = re.sub(r"\\(.)|([^-])", lambda one: _member(one[1] or one[2]), members[len(negation) :], flags=re.DOTALL)
    return f"[{negation}{escaped}]"


def _member(character: str) -> str:
    """A character that means itself in a class."""
    return f"\\{character}" if character in r"\^[]-&~|" else character
