"""The package's figures: one style, a Chinese font where there is one, interval plots."""

from __future__ import annotations

import base64
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from evaluation.bounds import Bounds
from evaluation.errors import ReportError
from evaluation.language import say, sentences, speaking, spoken
from evaluation.report.exhibits import Exhibit
from evaluation.report.fonts import FONT_ADVICE, find_chinese_font
from evaluation.report.template_files import TEMPLATES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLE = TEMPLATES / "figures.mplstyle"
_SVG_DPI = 72  # points: what matplotlib draws every svg with


def draws_chinese() -> bool:
    """Whether figures can show Chinese."""
    return bool(find_chinese_font())


def inscribe(message: str, **values: Any) -> str:
    """Say a message as a figure can show it: in English where there is no Chinese font."""
    with speaking(spoken() if find_chinese_font() else "en"):
        return say(message, **values)


def new_figure(width: float, height: float) -> Figure:
    """Start a figure in the package's style, outside pyplot's global state."""
    with in_style():
        return Figure(figsize=(width, height), layout="constrained")


def figure_exhibit(
    figure: Figure,
    *,
    name: str,
    caption: str,
    alt: str,
    data: pd.DataFrame,
    simulated: bool,
    note: str = "",
) -> Exhibit:
    """Draw a figure as svg and png; a character that no font has is an error."""
    pictures = {}
    with in_style(), warnings.catch_warnings():
        if simulated:
            figure.suptitle(inscribe("SIMULATED"), color="firebrick", fontweight="bold")
        warnings.filterwarnings("error", message="Glyph .* missing")
        try:
            _lay_out(figure)
            for form in ("svg", "png"):
                buffer = io.BytesIO()
                metadata = {"Date": None} if form == "svg" else {"Software": None}
                figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
                pictures[form] = buffer.getvalue()
        except UserWarning as warning:
            raise ReportError(f"figure {name}: {warning}. {FONT_ADVICE}") from None
    encoded = base64.b64encode(pictures["svg"]).decode()
    return Exhibit(
        name=name,
        kind="figure",
        simulated=simulated,
        caption=caption,
        note=sentences(note, "" if find_chinese_font() else say(FONT_ADVICE)),
        data=data,
        body=Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(alt, encoded),
        svg=pictures["svg"].decode(),
        png=pictures["png"],
    )


def _lay_out(figure: Figure) -> None:
    """Place the parts of a figure as in its svg, for all its pictures.

    To that end alone `Figure.savefig` would draw the whole figure once more for each picture.
    """
    engine = figure.get_layout_engine()
    if engine is None or not figure.axes:
        return
    FigureCanvasSVG(figure)
    figure.set_dpi(_SVG_DPI)
    with suppress(ValueError):  # as `Figure.draw` does: what cannot be laid out stays
        engine.execute(figure)
    figure.set_layout_engine(None)


def draw_bounds(
    axes: Axes, position: float, bounds: Bounds, *, color: str, thin: bool = False
) -> None:
    """Draw bounds as a line: full dots for closed ends, hollow for open, an arrow for none."""
    width, size = (1.0, 3.5) if thin else (2.4, 6.0)
    if bounds.is_exact:
        axes.plot(float(bounds.lower), position, "D", color=color, markersize=size, zorder=3)
        return
    ends = (bounds.lower, bounds.lower_closed), (bounds.upper, bounds.upper_closed)
    places = [
        edge if isinstance(end, float) else float(end)
        for (end, _), edge in zip(ends, axes.get_xlim(), strict=True)
    ]
    axes.plot(places, [position] * 2, color=color, linewidth=width, zorder=2)
    for (end, closed), place, arrow in zip(ends, places, "<>", strict=True):
        endless = isinstance(end, float)
        axes.plot(
            place,
            position,
            arrow if endless else "o",
            color=color,
            markerfacecolor=color if closed or endless else "white",
            markersize=size,
            clip_on=not endless,
            zorder=3,
        )


def finite_ends(column: Sequence[Bounds]) -> list[float]:
    """List the finite ends, to scale an axis by."""
    return [
        float(end)
        for bounds in column
        for end in (bounds.lower, bounds.upper)
        if abs(end) != float("inf")
    ]


def palette(names: Sequence[str]) -> dict[str, str]:
    """Give each name a colour that colour-blind readers can tell from the others."""
    return dict(zip(names, sns.color_palette("colorblind", len(names)).as_hex(), strict=True))


@contextmanager
def in_style() -> Iterator[None]:
    """Draw in the package's style, whatever the user's matplotlibrc says."""
    chinese = find_chinese_font()
    # A Chinese font without a bold face is drawn in its regular one: nothing to tell a reader.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_read_style())
        mpl.rcParams["font.family"] += [chinese] if chinese else []
        yield


@cache
def _read_style() -> mpl.RcParams:
    return mpl.rc_params_from_file(_STYLE, use_default_template=False)
