"""A study's files are read once while they stay as they are, and anew when they do not."""

import shutil

import pytest

from evaluation.data import load
from evaluation.data.study import Study
from evaluation.errors import DataError
from evaluation.report.study_parts import check_data
from tests.conftest import REPO


@pytest.fixture
def readings(monkeypatch):
    """Count how often a study's data are read."""
    counted = []
    real = load.load_data
    monkeypatch.setattr(load, "load_data", lambda study: counted.append(study) or real(study))
    return counted


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(REPO / "data" / "jining_simulated", tmp_path / "study")


def test_files_that_have_not_changed_are_read_once(folder, readings):
    first = check_data(Study.load(folder))
    assert check_data(Study.load(folder)) == first and "comparison" in first
    assert len(readings) == 1
    check_data(Study.load(folder, county="Yutai"))
    assert len(readings) == 2


def test_a_file_that_changed_is_read_again(folder, readings):
    study = Study.load(folder)
    check_data(study)
    panel = folder / study.panel.file
    whole = panel.read_bytes()
    panel.write_bytes(whole.splitlines(keepends=True)[0])
    for _ in range(2):  # what does not hold is not remembered
        with pytest.raises(DataError):
            check_data(study)
    panel.write_bytes(whole)
    check_data(study)
    assert len(readings) == 4
