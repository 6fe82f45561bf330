"""What the command line tells of power."""

import pytest

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.power_text import tell_power
from tests.conftest import REPO

STUDY = REPO / "data" / "jining_simulated"


def test_the_curve_is_a_table_in_the_unit_shown():
    lines = tell_power(Study.load(STUDY), parameters={"cluster": "village"}).splitlines()
    assert lines[0] == "jining_simulated (SIMULATED data)"
    at = next(i for i, line in enumerate(lines) if line.split()[:1] == ["effect"])
    rows = [line.split() for line in lines[at + 1 : at + 10]]
    assert all(len(row) == 4 for row in rows) and lines[at + 10] == ""
    minimum = next(line for line in lines if line.startswith("smallest effect found in 80%"))
    assert rows[4][0] in minimum and float(rows[4][2].rstrip("%")) >= 80
    assert any("by formula from the study's own standard error" in line for line in lines)


def test_an_unknown_option_is_named():
    with pytest.raises(ReportError, match="did you mean 'cluster'"):
        tell_power(Study.load(STUDY), parameters={"clster": "town"})
