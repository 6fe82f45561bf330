"""A treated village picked in JupyterLab; in a report, the figure of the one asked for."""

from __future__ import annotations

from typing import Any

from evaluation.language import say
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.paths import plot_counterfactual
from evaluation.report.gains.study import StudyGains


def pick_village(gains: StudyGains, *, village: str = "") -> Exhibit | Any:
    """Let whoever sits before the notebook pick the village that the figure draws.

    Parameters
    ----------
    gains
        The study's gains.
    village
        The key or the name of the village drawn at first; by default that with the median
        gain.

    Returns
    -------
    The figure of `plot_counterfactual`, in a run of the notebook that nobody watches; else
    an ipywidgets box of it and a field in which villages are searched.

    Raises
    ------
    ReportError
        As `plot_counterfactual`.
    """
    figure = plot_counterfactual(gains, village=village)
    if figure.kind == "table" or not _is_watched():  # a table says why there are no gains
        return figure
    import ipywidgets

    frame = gains.villages()
    known = frame[frame["gain"].notna()].sort_values(["county", "name"])
    keys = {
        f"{name} ({key})" if name != key else str(key): str(key)
        for key, name in known["name"].items()
    }
    field = ipywidgets.Combobox(
        options=list(keys),
        placeholder=say("a village's name or key"),
        description=say("Village"),
        continuous_update=False,
    )
    picture = ipywidgets.HTML(str(figure.to_html()))

    def draw(change: Any) -> None:
        if change["new"] in keys:
            chosen = plot_counterfactual(gains, village=keys[change["new"]])
            picture.value = str(chosen.to_html())

    field.observe(draw, names="value")
    return ipywidgets.VBox([field, picture])


def _is_watched() -> bool:
    """Whether a person can answer: nbclient and papermill run cells that may not ask."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))
