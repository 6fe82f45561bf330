"""Panels as files in pieces, and what the streamed estimate is held to: the one in memory."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.cluster.gains import estimate_gains as stream_gains
from evaluation.errors import EvaluationError
from evaluation.gains.estimate import estimate_gains
from tests.gains.panels import to_panel

SAME = 1e-9  # sums in another order, after two solves; near zero, of the column's largest
TEXTS = ["village", "county", "town", "untreated_years", "treated_years", "reason"]
NUMBERS = [
    "cohort", "gain", "conf_low", "conf_high", "p_value", "spread", "variance", "n_untreated",
    "n_treated", "n_placebos",
]  # fmt: skip
SHRUNKEN = {
    "prior_mean": "prior_mean", "weight": "weight", "posterior_mean": "posterior_mean",
    "posterior_sd": "posterior_sd", "conf_low": "posterior_low", "conf_high": "posterior_high",
}  # fmt: skip


def write_cells(cells, path, *, rows_a_group=40):
    ordered = cells.sort_values(["village", "year"])
    table = pa.Table.from_pandas(ordered, preserve_index=False)
    pq.write_table(table, path, row_group_size=rows_a_group)
    return path


def stream(path, out, *, rows_a_piece=200, **options):
    return stream_gains(
        path, out, outcome="y", county="county", town="town", rows_a_piece=rows_a_piece,
        tell=lambda line: None, **options,
    )  # fmt: skip


def close(found, expected, what):
    found, expected = (np.asarray(values, float) for values in (found, expected))
    size = np.nanmax(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(found, expected, rtol=SAME, atol=SAME * size, err_msg=what)


def same_texts(found, expected):
    assert list(found.astype(object).fillna("")) == list(expected.astype(object).fillna(""))


def same_averages(found, expected):
    assert found.index.equals(expected.index) and found.index.name == expected.index.name
    for name in expected:
        if name in ("method", "reason"):
            # Of clusters without an interval some may have a part by rounding alone.
            assert [re.sub(r"[\d.]+", "#", text) for text in found[name]] == [
                re.sub(r"[\d.]+", "#", text) for text in expected[name]
            ]
        elif name == "n_clusters":
            some = (expected["method"] != "").to_numpy()
            assert list(found[name][some]) == list(expected[name][some])
        else:
            close(found[name], expected[name], name)


def compare(cells, folder, *, rows_a_piece=200, **options):
    """Hold the streamed estimate to the one in memory; give both, or None for like errors."""
    cells = cells.sort_values(["village", "year"])
    path = write_cells(cells, folder / "panel.parquet")
    try:
        expected = estimate_gains(to_panel(cells, covariates=("x", "z", "w")), **options)
    except EvaluationError as error:
        expected = error
    try:
        found = stream(path, folder / "out", rows_a_piece=rows_a_piece, **options)
    except EvaluationError as error:
        assert (type(error), str(error)) == (type(expected), str(expected))
        assert not (folder / "out").exists()
        return None
    frame, own = found.read(), expected.to_frame().reset_index()
    for name in TEXTS:
        same_texts(frame[name], own[name])
    for name in NUMBERS:
        close(frame[name], own[name], name)
    names = ["programme", "cohort", "year", "event_time"]
    for by in names + ["county"] * (options.get("year_effects") != "county"):
        same_averages(found.by(by), expected.by(by))
    assert found.cluster == expected.cluster
    try:
        shrunken = expected.shrink()
    except EvaluationError as error:
        assert found.shrinkage.reason == str(error) and frame["weight"].isna().all()
    else:
        for name, written in SHRUNKEN.items():
            close(frame[written], shrunken.villages[name], written)
        assert list(found.shrinkage.coefficients) == list(shrunken.coefficients.index)
    return found, expected
