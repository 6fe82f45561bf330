"""What is recorded of the machine, the clone and the author tells what it should, no more."""

import getpass
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import evaluation
from evaluation.errors import ReportError
from evaluation.report.kernels import kernel_environment
from evaluation.report.record import machine
from evaluation.report.record.describe import sha256
from evaluation.report.record.machine import (
    describe_git,
    describe_machine,
    lock_sha256,
    parse_author,
)
from tests.conftest import REPO

ORCID = "https://orcid.org/0000-0002-1825-0097"

SEEN = """
import json, os
import scipy.linalg
from threadpoolctl import threadpool_info
seen = [[i["internal_api"], i["version"], i["num_threads"], i["architecture"]]
        for i in threadpool_info() if i["user_api"] == "blas"]
print(json.dumps([sorted(seen), os.environ["PYTHONHASHSEED"], os.environ["OMP_NUM_THREADS"]]))
"""


def test_the_machine_is_described_as_kernels_find_it():
    described = describe_machine()
    with kernel_environment():  # a process that starts as kernels do
        told = subprocess.run(
            [sys.executable, "-c", SEEN], check=True, capture_output=True, text=True
        ).stdout
    libraries, hash_seed, threads = json.loads(told)
    assert [[*library.values()] for library in described["blas"]] == libraries
    assert {library["threads"] for library in described["blas"]} <= {1}
    assert described["environment"]["PYTHONHASHSEED"] == hash_seed == "0"
    assert described["environment"]["OMP_NUM_THREADS"] == threads == "1"
    assert described["processors"] >= 1


def test_the_machine_is_not_named():
    text = json.dumps(describe_machine()).lower()
    for name in (platform.node(), getpass.getuser(), str(Path.home()), str(REPO)):
        assert len(name) < 4 or name.lower() not in text
    assert not [value for value in describe_machine()["environment"].values() if "/" in value]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of a package that is called evaluation."""
    folder = tmp_path / "clone"
    (folder / "evaluation").mkdir(parents=True)
    for name in ("evaluation/__init__.py", "pyproject.toml", "requirements.lock"):
        (folder / name).write_text(f"# {name}\n", encoding="utf-8")
    monkeypatch.setattr(evaluation, "__file__", str(folder / "evaluation" / "__init__.py"))
    return folder


def git(folder, *words):
    settings = [
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.org",
        "-c",
        "commit.gpgsign=no",
    ]
    told = subprocess.run(
        ["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return told.stdout.strip()


@pytest.mark.skipif(not shutil.which("git"), reason="git is not there")
def test_a_clone_is_described_by_its_commit_and_whether_it_is_clean(clone, monkeypatch):
    assert describe_git() is None  # not a clone
    git(clone, "init", "--quiet")
    assert describe_git() is None  # nothing committed
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "one")
    commit = git(clone, "rev-parse", "HEAD")
    assert describe_git() == {"commit": commit, "clean": True}
    (clone / "data").mkdir()
    (clone / "data" / "mine.csv").write_text("1", encoding="utf-8")
    assert describe_git() == {"commit": commit, "clean": True}  # a user's own files
    (clone / "evaluation" / "new.py").write_text("", encoding="utf-8")
    assert describe_git() == {"commit": commit, "clean": False}
    (clone / "evaluation" / "new.py").unlink()
    (clone / "requirements.lock").write_text("numpy==1", encoding="utf-8")
    assert describe_git() == {"commit": commit, "clean": False}
    monkeypatch.setenv("GIT_DIR", str(clone / "elsewhere"))  # another clone's, as in its hooks
    assert describe_git() == {"commit": commit, "clean": False}


def test_without_git_nothing_is_said_of_a_clone(clone, monkeypatch):
    (clone / ".git").mkdir()
    assert describe_git() is None  # git says that it is none
    monkeypatch.setenv("PATH", "")
    assert describe_git() is None
    monkeypatch.setattr(machine, "_SECONDS", 0)
    assert describe_git() is None


def test_the_lock_is_that_which_lies_with_the_package(clone):
    assert lock_sha256() == sha256(clone / "requirements.lock")
    (clone / "pyproject.toml").unlink()  # among other installed packages
    assert lock_sha256() is None


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("Josiah Carberry", {"name": "Josiah Carberry"}),
        ("  王  丽 ", {"name": "王 丽"}),
        ("Wang, Li", {"name": "Wang, Li"}),
        (f"Wang, Li, {ORCID}", {"name": "Wang, Li", "orcid": ORCID}),
        ("A B,0000-0002-1825-0097", {"name": "A B", "orcid": ORCID}),
        ("A B, http://orcid.org/0000-0002-1825-0097", {"name": "A B", "orcid": ORCID}),
        ("A, https://orcid.org/0000-0002-1694-233X",
         {"name": "A", "orcid": "https://orcid.org/0000-0002-1694-233X"}),
    ],
)  # fmt: skip
def test_an_author_is_a_name_with_an_orcid_or_without(text, author):
    assert parse_author(text) == author


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no name"),
        ("  ", "no name"),
        (ORCID, "no name"),
        (f", {ORCID}", "no name"),
        ("A, https://orcid.org/0000-0002-1825-0098", "0098 is no ORCID"),
        ("A, 0000-0002-1825", "0000-0002-1825 is no ORCID"),
        ("A, https://orcid.org/0000-0002-1825-0097/", "is no ORCID"),
        ("A, https://example.org/0000-0002-1825-0097", "is no ORCID"),
        ("A, orcid.org/me", "is no ORCID"),
    ],
)
def test_what_is_no_author_is_refused(text, told):
    with pytest.raises(ReportError, match=told):
        parse_author(text)


@given(st.text("0123456789", min_size=15, max_size=15), st.integers(0, 14), st.integers(1, 9))
def test_any_one_digit_that_is_mistyped_is_noticed(digits, place, change):
    whole = digits + machine._check_digit(digits + "0")
    other = str((int(digits[place]) + change) % 10)
    wrong = whole[:place] + other + whole[place + 1 :]
    write = "A, {0[0]}-{0[1]}-{0[2]}-{0[3]}".format
    parse_author(write([whole[n : n + 4] for n in (0, 4, 8, 12)]))
    with pytest.raises(ReportError, match="is no ORCID"):
        parse_author(write([wrong[n : n + 4] for n in (0, 4, 8, 12)]))


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_author_or_refused(text):
    try:
        author = parse_author(text)
    except ReportError:
        return
    assert author["name"].strip() and {*author} <= {"name", "orcid"}
