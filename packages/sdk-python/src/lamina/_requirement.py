"""The form of a requirement (PEP 508, with the versions of PEP 440), as pip and uv read it on their command line.

What it refuses, they refuse too; what only the image can tell, such as whether a path is there, is left to them.
"""

from __future__ import annotations

import re

from ._text import quoted, trim


def requirement_fault(argument: str) -> str | None:
    """What is wrong with the form of a requirement, in words that end a sentence; None for nothing, or a path."""
    text = trim(argument)
    head = text.split(";", 1)[0]
    if _LOCATION.match(text):
        return _location_fault(trim(head))
    if head != "" and not _DIRECT.match(head) and _is_path(head):
        return None
    scan = _Scanner(text)
    if not scan.takes(_NAME):
        return "it does not begin with the name of a package"
    if scan.takes(r"\[") and not (scan.takes(_EXTRAS) and scan.takes(r"\]")):
        return f"what is extra is not names between brackets: {scan.rest()}"
    is_direct = scan.takes("@")
    origin = re.split(r"\s", scan.rest(), maxsplit=1)[0]
    if is_direct and not scan.takes(r"\S+"):
        return "there is no URL after the @"
    if is_direct and not _LOCATION.match(origin) and not _is_path(origin):
        return f"what follows the @ is no URL: {origin}"
    if is_direct and _LOCATION.match(origin) and (fault := _location_fault(origin)) is not None:
        return fault
    if not is_direct and not _takes_versions(scan):
        return f'a version is not "==1.0", ">=1.0", "~=1.0" or their kin: {scan.rest()}'
    if scan.takes(";") and not _takes_marker(scan):
        return f'what follows the ; is no marker such as python_version < "3.12": {scan.rest()}'
    return None if scan.rest() == "" else f"after {quoted(scan.before())} comes {quoted(scan.rest())}"


def _location_fault(url: str) -> str | None:
    """What neither pip nor uv would fetch from."""
    scheme, _, rest = url.partition(":")
    if not _SCHEME.fullmatch(scheme):
        return f"packages do not come by {scheme}: as a URL it begins with https:// or git+https://"
    if not rest.strip("/"):
        return "the URL ends after its scheme"
    return "the URL holds a space, which is %20 there" if re.search(r"\s", rest) else None


class _Scanner:
    """Reads a text from its beginning; white space between what it takes does not count."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def takes(self, pattern: str) -> bool:
        """Whether that comes next; it is then passed."""
        found = re.compile(rf"\s*(?:{pattern})\s*", re.ASCII).match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found is not None

    def before(self) -> str:
        return trim(self._text[: self._at])

    def rest(self) -> str:
        return self._text[self._at :]


_SCHEME = re.compile(
    r"https?|ftp|file|ssh|git|hg|svn|bzr|(?:git|hg|svn|bzr)\+(?:https?|ssh|file|git|svn|sftp|ftp|lp|static-https?)", re.IGNORECASE
)
_LOCATION = re.compile(r"(?:[a-z][a-z0-9+.-]*://|file:)", re.IGNORECASE | re.ASCII)
# A name, and the URL from which it is had.
_DIRECT = re.compile(r"[\w.-]+\s*(?:\[[^\]]*\])?\s*@", re.ASCII)
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))\Z", re.IGNORECASE)
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*\b"
_EXTRAS = r"(?:[A-Za-z0-9][\w.-]*\b\s*(?:,\s*[A-Za-z0-9][\w.-]*\b\s*)*)?"


def _is_path(text: str) -> bool:
    """By the rules that pip itself has for it."""
    return text.startswith(".") or "/" in text or _ARCHIVE.search(re.sub(r"\[[^\]]*\]\Z", "", trim(text))) is not None


_RELEASE = r"v?(?:\d+!)?\d+(?:\.\d+)*"
_PRE_AND_POST = r"(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?"
_DEVELOPMENT = r"(?:[-_.]?dev[-_.]?\d*)?"
_LOCAL = r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?"
_VERSION = "(?i:" + (
    "|".join(
        rf"(?:{clause})(?![\w.*+!])"
        for clause in (
            r"===\s*[^\s;)]*",
            rf"[=!]=\s*{_RELEASE}{_PRE_AND_POST}(?:\.\*|{_DEVELOPMENT}{_LOCAL})",
            rf"~=\s*v?(?:\d+!)?\d+(?:\.\d+)+{_PRE_AND_POST}{_DEVELOPMENT}",
            rf"(?:<=|>=|<|>)\s*{_RELEASE}{_PRE_AND_POST}{_DEVELOPMENT}",
        )
    )
    + ")"
)


def _takes_versions(scan: _Scanner) -> bool:
    """Versions one after another, between brackets or not; none is fine too."""
    is_bracketed = scan.takes(r"\(")
    while scan.takes(_VERSION) and scan.takes(","):
        pass
    return (not is_bracketed or scan.takes(r"\)")) and not scan.takes("(?=[=<>~!])")


_MARKER_VALUE = (
    r"""'[^']*'|"[^"]*"|\b(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)"""
    r"""|platform[._](?:version|machine|python_implementation)|python_implementation|implementation_(?:name|version)"""
    r"""|extras?|dependency_groups)\b"""
)
_MARKER_OPERATOR = r"===|==|~=|!=|<=|>=|<|>|\bnot\s+in\b|\bin\b"


def _takes_marker(scan: _Scanner) -> bool:
    while True:
        if scan.takes(r"\("):
            is_whole = _takes_marker(scan) and scan.takes(r"\)")
        else:
            is_whole = scan.takes(_MARKER_VALUE) and scan.takes(_MARKER_OPERATOR) and scan.takes(_MARKER_VALUE)
        if not is_whole:
            return False
        if not scan.takes(r"\b(?:and|or)\b"):
            return True
