"""What is left out of a copied directory: the patterns of a .dockerignore, with the meaning that BuildKit gives them.

A pattern that matches a directory matches all below it, `!` makes an exception, and the last pattern that matches decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .._text import normal_path, trim
from .ignore_pattern import matcher_of, pattern_fault


@dataclass(frozen=True)
class Verdict:
    """What the patterns say of a path."""

    is_ignored: bool
    is_closed: bool
    """Whether nothing below it can be wanted, if it is a directory."""
    matched: Sequence[bool]
    """Which of the patterns match it."""


@dataclass(frozen=True)
class _Rule:
    is_exception: bool
    pattern: str
    matches: Callable[[str], bool]


class Ignoring:
    """Patterns, as one thing to ask about paths."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self._rules = rules

    def verdict(self, path: str, above: Verdict | None) -> Verdict:
        """The verdict on a path relative to the directory, given that on the directory above it."""
        is_ignored = False
        matched: list[bool] = []
        for index, rule in enumerate(self._rules):
            is_below = above is not None and above.matched[index]
            # What would change nothing is not looked at, and so does not hold for what is below.
            matches = (is_below or rule.is_exception == is_ignored) and (is_below or rule.matches(path))
            if matches:
                is_ignored = not rule.is_exception
            matched.append(matches)
        last = max((index for index, one in enumerate(matched) if one), default=-1)
        return Verdict(is_ignored, is_ignored and not self._may_except(path, last), matched)

    def _may_except(self, path: str, after: int) -> bool:
        return any(rule.is_exception and _reaches_below(rule.pattern, path) for rule in self._rules[after + 1 :])


def ignoring_of(lines: Iterable[str]) -> Ignoring:
    """Read patterns as lines of a .dockerignore. ValueError for the first that has a fault."""
    texts = [text for text in map(_cleaned, lines) if text is not None]
    return Ignoring([_Rule(text.startswith("!"), text.removeprefix("!"), matcher_of(text.removeprefix("!"))) for text in texts])


def ignore_fault(line: str) -> str | None:
    """What is wrong with a line of a .dockerignore, in words that end a sentence; None when nothing is."""
    text = _cleaned(line)
    return None if text is None else pattern_fault(text.removeprefix("!"))


def _cleaned(line: str) -> str | None:
    """A line as a path from the directory, with the `!` that it may begin with; None for a comment and an empty line."""
    text = trim(line)
    if line.startswith("#") or text == "":
        return None
    is_exception = text.startswith("!")
    written = trim(text[1:]) if is_exception else text
    path = "" if written == "" else _normal(written)
    path = path[1:] if path.startswith("/") and len(path) > 1 else path
    # BuildKit makes it normal once more with the mark in front of it.
    return _normal(f"{'!' if is_exception else ''}{path}")


def _normal(path: str) -> str:
    normal = normal_path(path)
    return normal[:-1] if len(normal) > 1 and normal.endswith("/") else normal


def _reaches_below(pattern: str, directory: str) -> bool:
    """Whether a pattern can match something in a directory."""
    literal = re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
    if literal == pattern:
        return pattern.startswith(f"{directory}/")
    base = literal[: literal.rfind("/") + 1]
    return f"{directory}/".startswith(base) or base.startswith(f"{directory}/")
