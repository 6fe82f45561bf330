"""Figures as the page holds them: the same drawings in fewer bytes."""

from __future__ import annotations

import base64
import re
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
    return f"data:image/svg+xml,{quote(svg, safe=_SAFE)}"


def _round(match: re.Match[str]) -> str:
    return f"{float(match[0]):z.1f}".removesuffix(".0")
