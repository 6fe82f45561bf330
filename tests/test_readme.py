"""What the README shows is what happens."""

import doctest
import re

import pytest

from evaluation.cli import main
from tests.conftest import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")


def test_the_python_session_runs(monkeypatch):
    monkeypatch.chdir(REPO)
    result = doctest.testfile(str(REPO / "README.md"), module_relative=False)
    assert result.attempted >= 6
    assert result.failed == 0


def test_the_mistake_gives_the_error_shown(jining_copy, capsys):
    path = jining_copy / "claims.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",371,371,1,1,", ",371,372,1,1,"), encoding="utf-8")
    assert main(["report", str(jining_copy)]) == 2
    shown = re.search(r"```\n(DataError: .*?)```", README, re.DOTALL)
    assert shown
    assert capsys.readouterr().err.split() == shown[1].split()


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_to_files(target):
    assert (REPO / target).exists()
