"""What the README and the other documents show is what happens."""

import contextlib
import doctest
import io
import re
import shlex
import shutil
from dataclasses import dataclass
from functools import partial

import pytest

from evaluation.cli import build_parser, main
from tests.conftest import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    path.relative_to(REPO).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md", "data/*.md", "data/*/*.md")
    for path in sorted(REPO.glob(pattern))
}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HASH = re.compile(r"-[0-9a-f]{8}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Commands of the tour, what is shown under them, and what they printed."""

    commands: tuple[str, ...]
    shown: str
    printed: str
    statuses: tuple[int, ...]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """Walk the tour in a copy of the studies; give the folder and the steps.

    The browser and JupyterLab are not opened.
    """
    folder = tmp_path_factory.mktemp("tour")
    for name in ("jining_2021", "jining_simulated"):
        shutil.copytree(REPO / "data" / name, folder / "data" / name)
    text = README.split("## Five minutes")[1].split("\n## ")[0]
    steps: list[Step] = []
    real: dict[str, str] = {}  # the hashes that the README makes up, and those of the runs
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setattr("webbrowser.open", lambda address: True)
        patch.setattr("evaluation.report.lab.start_lab", lambda folder, *, browser: 0)
        for block in _FENCE.finditer(text):
            if block[1] != "sh":
                continue
            following = _FENCE.match(text[block.end() :].lstrip())
            shown = following[2] if following and not following[1] else ""
            lines = tuple(commands(_HASH.sub(partial(_as_made, real), block[2])))
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                statuses = tuple(main(line) for line in lines)
            if shown:
                made = _HASH.findall(printed.getvalue())
                real |= zip(_HASH.findall(shown), made, strict=False)
            steps.append(
                Step(
                    commands=tuple(map(shlex.join, lines)),
                    shown=shown,
                    printed=printed.getvalue(),
                    statuses=statuses,
                )
            )
    return folder, steps


def _as_made(real, match):
    """Give the hash of the run that stands for one that the README makes up."""
    return real.get(match[0], match[0])


def commands(block):
    """Give the arguments of each line that runs the command."""
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["evaluation"]:
            yield words[1:]


def test_the_tour_prints_what_it_shows(tour):
    _, steps = tour
    assert [step.statuses for step in steps] == [(0,) * len(s.commands) for s in steps]
    verbs = {command.split()[0] for step in steps for command in step.commands}
    verbs_shown = {"report", "open", "index", "verify", "rerun", "package", "lab", "sweep"}
    assert verbs == verbs_shown
    shown = [step for step in steps if step.shown]
    assert len(shown) == 4
    for step in shown:
        assert _HASH.sub("-HASH", step.printed) == _HASH.sub("-HASH", step.shown)


def test_runs_of_the_tour_that_show_one_name_have_one(tour):
    """The README's made-up hashes are equal where the real ones are, and differ where not."""
    _, steps = tour
    pairs = {
        (shown, real)
        for step in steps
        for shown, real in zip(
            _HASH.findall(step.shown), _HASH.findall(step.printed) if step.shown else (),
            strict=True,
        )
    }  # fmt: skip
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 2


def test_the_pages_say_what_the_tour_says_of_them(tour):
    folder, steps = tour
    page, chinese = (
        (folder / steps[place].printed.split()[0]).read_text(encoding="utf-8")
        for place in (0, 2)
    )
    summary = page.split('<section id="summary"')[1].split("</section>")[0]
    assert "Yutai 20.61 (total / villages, if the total is a yearly amount)" in summary
    assert '<a href="#findings">Table 6</a>' in summary
    findings = page.split('id="findings"')[1].split("</figure>")[0]
    assert 'href="#C055"' in findings and 'href="#C048"' in findings
    assert '<html lang="zh-CN">' in chinese


def test_the_python_session_runs(tour):
    """The report that it asks for is the one that the tour has made: nothing is run again."""
    folder, _ = tour
    runs = sorted((folder / "reports").iterdir())
    with contextlib.chdir(folder):
        result = doctest.testfile(str(REPO / "README.md"), module_relative=False)
    assert result.attempted >= 30
    assert result.failed == 0
    assert sorted((folder / "reports").iterdir()) == runs


def test_the_mistake_gives_the_error_shown(jining_copy, capsys):
    path = jining_copy / "claims.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",371,371,1,1,", ",371,372,1,1,"), encoding="utf-8")
    assert main(["report", str(jining_copy)]) == 2
    shown = re.search(r"```\n(DataError: .*?)```", README, re.DOTALL)
    assert shown
    assert capsys.readouterr().err.split() == shown[1].split()


def documented():
    """Give every command line of the documents, in blocks and in text, with where it is."""
    for name, text in DOCUMENTS.items():
        for block in _FENCE.finditer(text):
            if block[1] == "sh":
                for words in commands(block[2]):
                    yield name, shlex.join(words)
        for span in re.findall(r"`evaluation ([a-z]+ [^`]+)`", _FENCE.sub("", text)):
            yield name, " ".join(span.split())


@pytest.mark.parametrize(("document", "command"), sorted(set(documented())))
def test_commands_are_those_that_there_are(document, command):
    try:
        build_parser().parse_args(shlex.split(command))
    except Exception as error:
        pytest.fail(f"{document}: evaluation {command}: {error}")


def links():
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"\]\(([^)]+)\)", _FENCE.sub("", text)):
            if "://" not in target:
                yield name, target


@pytest.mark.parametrize(("document", "target"), sorted(set(links())))
def test_links_lead_to_files_and_to_headings_in_them(document, target):
    file, _, heading = target.partition("#")
    path = (REPO / document).parent / file if file else REPO / document
    assert path.exists()
    if heading:
        assert heading in {_anchor(h) for h in _headings(path)}


def _headings(path):
    return re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def _anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_manual_has_all_keys_of_a_study():
    from evaluation.data.study import Study

    manual = DOCUMENTS["docs/study.md"]
    missing = [key for key in Study.model_fields if f"`{key}`" not in manual]
    assert missing == []


def test_the_manual_has_all_verbs():
    shown = "".join(DOCUMENTS.values())
    parser = build_parser()
    verbs = parser._subparsers._group_actions[0].choices
    assert [verb for verb in verbs if f"evaluation {verb} " not in shown] == []


def test_make_has_the_targets_that_are_named():
    targets = set(re.findall(r"^(\w+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    named = {
        target for text in DOCUMENTS.values() for target in re.findall(r"`make (\w+)`", text)
    }
    assert named
    assert named <= targets
