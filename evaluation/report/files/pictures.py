"""Figures as the page holds them: the same drawings in fewer bytes."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from urllib.parse import quote

_PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
_UNSEEN = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL
)
_PATH = re.compile(r' d="[^"]*"')
_DECIMALS = re.compile(r"-?\d*\.\d+")
_GROUP = re.compile(r' id="(?:\w+_\d+)"')  # matplotlib's names of groups, which nothing uses
# As they are: all that a quoted attribute and a URL may hold.
_SAFE = " /:;=,'()+-.?!*@~$[]{}|^"
_UNSAFE = re.compile(rf"[^\w{re.escape(_SAFE)}]+", re.ASCII)
_quote = lru_cache(maxsize=1024)(quote)


def slim_pictures(html: str) -> str:
    """Write a page's drawings shorter: coordinates to a tenth of a point, and no base64."""
    return _PICTURE.sub(_slim, html)


def _slim(match: re.Match[str]) -> str:
    svg = _UNSEEN.sub("", base64.b64decode(match[1]).decode())
    used = set(re.findall(r"#([\w-]+)", svg))
    svg = _GROUP.sub(lambda m: m[0] if m[0][5:-1] in used else "", svg)
    svg = _PATH.sub(lambda m: _DECIMALS.sub(_round, m[0]), svg)
    svg = re.sub(r"\s+", " ", svg).replace("> <", "><")
    svg = svg.replace("'", "&apos;").replace('"', "'")
    quoted = _UNSAFE.sub(lambda m: _quote(m[0]), svg)  # all signs one by one take long
    return f"data:image/svg+xml,{quoted}"


def _round(match: re.Match[str]) -> str:
    return f"{float(match[0]):z.1f}".removesuffix(".0")
