"""Figures of two runs as they are drawn: by their bytes, their drawing, their pixels."""

from __future__ import annotations

import re
from pathlib import Path

from evaluation.report.compare.levels import Judge, Level

# What a drawing says of when and by what it was made, and names that nothing shows.
_UNSEEN = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL
)
_ID = re.compile(r'(?<=id=")[\w-]+(?=")')
_LOOSE_ID = re.compile(r'(?<=href="#)[\w-]+|(?<=url\(#)[\w-]+')


def compare_pictures(
    name: str, before: Path, after: Path, judge: Judge, *, altered: bool = False
) -> tuple[Level, float | None]:
    """Compare the pictures of a figure.

    Parameters
    ----------
    name
        The figure's.
    before, after
        The folders of figures, with NAME.svg and NAME.png.
    altered
        Whether one of the files is not as its run wrote it: that the other shows the same is
        no excuse then.

    Returns
    -------
    How alike they are, and the share of the pixels that differ where they had to be compared.
    """
    files = [
        [folder / f"{name}{end}" for folder in (before, after)] for end in (".svg", ".png")
    ]
    svg, png = ([_read(path) for path in pair] for pair in files)
    if svg[0] == svg[1] and png[0] == png[1]:
        return "identical", None
    if None in svg or None in png:
        return "different", None
    drawn = compare_drawings(svg[0] or b"", svg[1] or b"", judge)
    share = 0.0 if png[0] == png[1] else share_of_pixels(*files[1])
    if altered or (share and drawn != "close"):
        return "different", share
    return ("close" if drawn == "close" else "canonical"), share


def compare_drawings(before: bytes, after: bytes, judge: Judge) -> Level:
    """Compare two drawings (SVG) as what is seen of them."""
    if before == after:
        return "identical"
    level = judge.phrases(canonical_drawing(before), canonical_drawing(after))
    return "canonical" if level == "identical" else level


def canonical_drawing(svg: bytes) -> str:
    """Give a drawing without dates and versions, its marks numbered as they come.

    Examples
    --------
    >>> canonical_drawing(b'<path id="m1a2b"/><use href="#m1a2b"/>')
    '<path id="1"/><use href="#1"/>'
    """
    text = _UNSEEN.sub("", svg.decode("utf-8", "replace"))
    names = {name: str(n) for n, name in enumerate(dict.fromkeys(_ID.findall(text)), 1)}
    text = _ID.sub(lambda match: names[match[0]], text)
    return _LOOSE_ID.sub(lambda match: names.get(match[0], match[0]), text)


def share_of_pixels(before: Path, after: Path) -> float:
    """Give the share of two pictures' pixels that differ; 1 if their size does."""
    import numpy as np
    from matplotlib.image import imread

    try:
        one, other = imread(before), imread(after)
    except (OSError, SyntaxError, ValueError):  # no picture that can be read
        return 1.0
    if one.shape != other.shape:
        return 1.0
    differ = (one != other).reshape(*one.shape[:2], -1).any(axis=2)
    return float(np.mean(differ))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
