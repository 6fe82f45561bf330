"""Why two runs differ: every cause, by one thing that differs between their records."""

import copy
import json
import shutil

import pytest

from evaluation.data.study import Study
from evaluation.language import speaking
from evaluation.report.compare.run import compare_runs
from evaluation.report.record.describe import sha256
from evaluation.report.record.rows import FILE, describe_rows
from evaluation.report.record.store import write_json
from tests.conftest import JINING, edit
from tests.report.compared import OPENBLAS, SHA, copy_run, edit_results, make_run, seal

OTHER = "1" * 64


def compare(tmp_path, *, before=None, **changes):
    first = make_run(tmp_path / "hills-00000000", **(before or {}))
    return compare_runs(first, make_run(tmp_path / "hills-11111111", **changes))


def told(comparison):
    return [(c.kind, c.name, c.before, c.after) for c in comparison.causes]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"study": "valleys"}, ("study", "", "hills", "valleys")),
        (
            {"parameters": {"4_effect": {"study": "hills/study.yml", "alpha": 0.1}}},
            ("parameter", "alpha", "0.05", "0.1"),
        ),
        ({"notebooks": {"4_effect": OTHER}}, ("notebook", "4_effect", "", "")),
        (
            {"code": {"gains/estimate.py": OTHER, "bounds.py": SHA}},
            ("code", "evaluation/gains/", "0.1.0", "0.1.0"),
        ),
        (
            {"code": {"gains/estimate.py": SHA, "bounds.py": OTHER}},
            ("code", "evaluation/bounds.py", "0.1.0", "0.1.0"),
        ),
        (
            {"packages": {"village-evaluation": "0.1.0", "pandas": "3.0.1", "numpy": "2.3.0"}},
            ("package", "pandas", "3.0.0", "3.0.1"),
        ),
        (
            {"packages": {"village-evaluation": "0.1.0", "numpy": "2.3.0"}},
            ("package", "pandas", "3.0.0", "not there"),
        ),
        ({"python": "3.12.1"}, ("python", "Python", "3.11.7", "3.12.1")),
        ({"chinese_font": ""}, ("font", "", "Noto Sans CJK SC", "")),
        ({"pseudonyms": SHA}, ("codes", "", "names", "codes")),
    ],
)
def test_one_thing_that_differs_is_named(tmp_path, changes, cause):
    comparison = compare(tmp_path, **changes)
    assert told(comparison) == [cause]
    assert any("changes no result" in line for line in comparison.lines())


def test_the_machine_its_threads_and_its_blas(tmp_path):
    machine = {
        "system": "Darwin", "machine": "x86_64", "processors": 2,
        "blas": [{**OPENBLAS, "threads": 8}],
    }  # fmt: skip
    comparison = compare(tmp_path, machine=machine)
    causes = {c.name: (c.before, c.after) for c in comparison.causes if c.kind == "machine"}
    assert causes["system"] == ("Linux", "Darwin")
    assert "threads 1" in causes["blas"][0]
    assert "threads 8" in causes["blas"][1]
    assert {c.kind for c in comparison.causes} == {"machine"}


def test_a_parameter_of_many_chapters_is_one_cause(tmp_path):
    both = {"1_data": {"alpha": 0.05}, "4_effect": {"alpha": 0.05}}
    other = copy.deepcopy(both)
    for values in other.values():
        values["alpha"] = 0.1
    notebooks = dict.fromkeys(both, SHA)
    comparison = compare(
        tmp_path,
        before={"parameters": both, "notebooks": notebooks},
        parameters=other,
        notebooks=notebooks,
    )
    [cause] = comparison.causes
    assert cause.details == ("1_data", "4_effect")


def test_another_key_of_codes(tmp_path):
    comparison = compare(tmp_path, before={"pseudonyms": SHA}, pseudonyms=OTHER)
    assert told(comparison) == [("codes", "key of the codes", "codes", "codes")]


def test_a_difference_without_a_cause_is_said_to_have_none(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    after = copy_run(before, "hills-copy")
    edit_results(after, lambda exhibits, _: exhibits["effects"]["rows"][0].update(estimate=6.0))
    comparison = compare_runs(before, after)
    assert comparison.causes == []
    assert any("chance without a seed" in line for line in comparison.lines())


def test_a_difference_beside_another_machine_is_laid_to_it(tmp_path):
    machine = {"system": "Darwin", "machine": "arm64", "processors": 8, "blas": []}
    before = make_run(tmp_path / "hills-00000000")
    after = make_run(tmp_path / "hills-11111111", machine=machine)
    edit_results(after, lambda exhibits, _: exhibits["effects"]["rows"][0].update(estimate=6.0))
    lines = compare_runs(before, after).lines()
    assert "Nothing differs but the machine that the runs were made on." in lines


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tables/effects.csv", "5.4585773", "5.4585774"),
        ("results.json", "5.4585773", "5.4585774"),
        ("report.html", "5.46", "5.47"),
        ("figures/paths.svg", "1.25", "1.26"),
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_one_digit_altered_since_a_run_was_written_is_named_with_its_file_and_run(
    tmp_path, file, old, new, side
):
    before = make_run(tmp_path / "hills-00000000")
    runs = before, copy_run(before, "hills-copy")
    edit(runs[side] / file, old, new)
    [cause] = compare_runs(*runs).causes
    assert (cause.kind, cause.name, cause.details) == ("altered", file, (runs[side].name,))


def test_a_file_that_is_gone_is_altered_too(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    after = copy_run(before, "hills-copy")
    (after / "figures" / "paths.png").unlink()
    comparison = compare_runs(before, after)
    assert [c.name for c in comparison.causes] == ["figures/paths.png"]
    assert comparison.level == "different"


# What changed in an input.


def make_run_of(study, folder, **changes):
    inputs = {
        name: {"sha256": sha256(study / name), "bytes": (study / name).stat().st_size}
        for name in ("study.yml", "claims.csv", "indicators.csv", "crosschecks.yml")
    }
    run = make_run(folder, inputs=inputs, **changes)
    if not changes.get("pseudonyms"):
        write_json(run / FILE, describe_rows(Study.load(study)))
    return seal(run)


@pytest.fixture
def two_studies(tmp_path):
    first = shutil.copytree(JINING, tmp_path / "one" / "jining_2021")
    second = shutil.copytree(JINING, tmp_path / "two" / "jining_2021")
    lines = (second / "claims.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    assert "15.68" in "".join(lines)
    [place] = [n for n, line in enumerate(lines, 1) if "15.68" in line]
    lines[place - 1] = lines[place - 1].replace("15.68", "16.68")
    (second / "claims.csv").write_text(
        "".join([*lines, lines[-1].replace("C0", "C9")]), "utf-8"
    )
    return first, second, place, len(lines) + 1


def test_the_rows_of_a_changed_file_are_named_by_digests_alone(tmp_path, two_studies):
    first, second, place, last = two_studies
    before, after = make_run_of(first, tmp_path / "a-0"), make_run_of(second, tmp_path / "b-1")
    [cause] = compare_runs(before, after).causes
    assert (cause.kind, cause.name) == ("input", "claims.csv")
    assert cause.details == (f"1 changed: line {place}", f"1 inserted: line {last}")


def test_the_cells_of_a_changed_file_are_told_where_both_versions_lie(tmp_path, two_studies):
    first, second, place, _ = two_studies
    before, after = make_run_of(first, tmp_path / "a-0"), make_run_of(second, tmp_path / "b-1")
    comparison = compare_runs(before, after, study_before=first, study_after=Study.load(second))
    [cause] = comparison.causes
    cell = next(text for text in cause.details if text.startswith(f"line {place}, printed"))
    assert "15.68" in cell
    assert "16.68" in cell
    assert cause.details[2:] == tuple(t for t in cause.details if t.startswith("line "))
    with speaking("zh"):
        [cause] = compare_runs(before, after).causes
    assert f"第 {place} 行" in cause.details[0]


def test_a_study_that_is_not_as_the_run_read_it_is_not_looked_into(tmp_path, two_studies):
    first, second, place, last = two_studies
    before, after = make_run_of(first, tmp_path / "a-0"), make_run_of(second, tmp_path / "b-1")
    edit(first / "claims.csv", "C002", "C222")
    [cause] = compare_runs(before, after, study_before=first, study_after=second).causes
    assert cause.details == (f"1 changed: line {place}", f"1 inserted: line {last}")


def test_of_runs_under_codes_no_rows_are_told(tmp_path, two_studies):
    first, second, *_ = two_studies
    before = make_run_of(first, tmp_path / "a-0", pseudonyms=SHA)
    after = make_run_of(second, tmp_path / "b-1", pseudonyms=SHA)
    [cause] = compare_runs(before, after, study_before=first, study_after=second).causes
    assert cause.details == ("its rows are not told: a run is under codes",)


def test_a_file_that_is_only_saved_otherwise_has_no_changed_row(tmp_path):
    first = shutil.copytree(JINING, tmp_path / "one" / "jining_2021")
    second = shutil.copytree(JINING, tmp_path / "two" / "jining_2021")
    content = (second / "claims.csv").read_bytes()
    assert b"\r\n" not in content
    (second / "claims.csv").write_bytes(content.replace(b"\n", b"\r\n"))
    before, after = make_run_of(first, tmp_path / "a-0"), make_run_of(second, tmp_path / "b-1")
    [cause] = compare_runs(before, after).causes
    assert cause.details == ("no row differs: only ends of lines, or how it is saved",)


def test_a_run_keeps_no_row_and_no_name_in_its_digests(tmp_path):
    text = json.dumps(describe_rows(Study.load(JINING)), ensure_ascii=False)
    assert "C002" not in text
    assert "泗水" not in text
