"""What a run holds hangs on inputs, parameters, code and versions: on nothing else."""

import os
import shutil
import subprocess
import sys
import tempfile

import nbformat
import pytest
from matplotlib import font_manager
from nbformat.v4 import new_code_cell, new_notebook, new_output

from evaluation.report.fonts import find_chinese_font
from evaluation.report.record.store import NAME, read_record
from evaluation.report.tidy import tidy_notebook
from tests.conftest import JINING, edit

# A chapter such as somebody in a hurry writes.
CELLS = (
    "import random, sys, time, warnings\nfrom pathlib import Path\n"
    "import matplotlib.pyplot as plt, numpy as np, pandas as pd, seaborn as sns\n"
    "import statsmodels.api as sm",
    "print(object(), lambda: 1, {'sets', 'of', 'words', 'in', 'no', 'order'}); object()",
    "print(random.random(), np.random.rand(), np.random.default_rng().random())",
    "frame = pd.DataFrame({'x': range(30), 'y': np.random.default_rng().normal(size=30)})\n"
    "frame",
    "frame.head(3).style.highlight_max()",
    "fit = sm.OLS(frame.y, sm.add_constant(frame.x)).fit(); print(fit.summary())\n"
    "fit.summary()",
    "fit.summary2()",
    "sns.lineplot(frame.assign(x=frame.x % 3), x='x', y='y');",
    "%config InlineBackend.figure_formats = ['svg', 'png', 'pdf']\n"
    "plt.plot([1, 2]); plt.fill_between([0, 1], [0, 1], hatch='/');",
    "for i in range(2):\n    print(i); print('e', i, file=sys.stderr); time.sleep(.3)\n"
    "warnings.warn('look here')",
    "import tqdm.auto, tqdm\nfor _ in tqdm.auto.tqdm(range(3)): pass\n"
    "for _ in tqdm.tqdm(range(3)): pass",
    "print(Path.cwd(), Path(study).resolve(), sys.prefix, random.__file__, np.__file__)\n"
    "Path(study).resolve()",
    "import datetime, os, shutil\n"
    "print(time.tzname, datetime.date(2020, 2, 3).strftime('%A %B'))\n"
    "print(open(os.devnull).encoding, plt.rcParams['font.size'], shutil.get_terminal_size())\n"
    "print(__debug__)",
)  # fmt: skip
ENVIRONMENT = {
    "LC_ALL": "C", "LANG": "de_DE.UTF-8", "TZ": "Asia/Shanghai", "COLUMNS": "33",
    "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "5",
    "PYTHONWARNINGS": "ignore", "PYTHONOPTIMIZE": "1", "MPLBACKEND": "svg", "NO_COLOR": "1",
    "PYTHONUTF8": "1",
}  # fmt: skip
START = "print('startup'); import pandas as pd; pd.options.display.max_rows = 3\n"
KERNEL = '{"argv": ["false"], "display_name": "x", "language": "python"}'
USERS = {
    ".config/matplotlib/matplotlibrc": "font.size: 30\nfigure.facecolor: red\n",
    ".matplotlib/matplotlibrc": "font.size: 30\nfigure.facecolor: red\n",
    ".ipython/profile_default/startup/00.py": START,
    ".ipython/profile_default/ipython_config.py": "c.InlineBackend.figure_formats = ['jpeg']",
    ".local/share/jupyter/kernels/python3/kernel.json": KERNEL,
    ".local/share/jupyter/nbconvert/templates/base/base.html.j2": "another's",
    ".local/share/jupyter/nbconvert/templates/lab/index.html.j2": "another's",
}  # fmt: skip
OF_ITS_TIME = ("start", "end", "seconds", "machine", "git")


def write_study(folder):
    study = shutil.copytree(JINING, folder / "jining_2021")
    cells = [new_code_cell(source) for source in ('study: str = "x"', *CELLS)]
    cells[0].metadata["tags"] = ["parameters"]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells), study / "7_own.ipynb")
    edit(study / "study.yml", "\nprogramme:", "\nchapters: [7_own.ipynb]\nprogramme:")
    return study


def make(study, out, **options):
    command = [sys.executable, "-m", "evaluation", "report", study, "--out", out]
    subprocess.run([*command, "--to", "docx"], check=True, capture_output=True, **options)
    (folder,) = out.iterdir()
    return folder


def files(run):
    paths = (path for path in run.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def one_processor():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def test_two_runs_are_the_same_whoever_made_them_where_and_when(tmp_path):
    home = tmp_path / "home"
    for name, text in USERS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    first = make(write_study(tmp_path), tmp_path / "out")
    other = tmp_path / "elsewhere" / "another folder, 二"
    second = make(
        write_study(other), other / "out", cwd=home,
        env={**os.environ, **ENVIRONMENT, "HOME": str(home), "USERPROFILE": str(home)},
        **({} if os.name == "nt" else {"preexec_fn": one_processor, "umask": 0o077}),
    )  # fmt: skip
    assert first.name == second.name
    one, two = files(first), files(second)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    before, after = ({**read_record(run)} for run in (first, second))
    for part in OF_ITS_TIME:
        before.pop(part, None)
        after.pop(part, None)
    assert before == after

    # And that is not because the chapter shows nothing.
    shown = one["notebooks/7_own.ipynb"].decode()
    for told in ("object at 0x0", "R-squared", "T_6_0_0_row0_col0", "cell.py:3: UserWarning"):
        assert told in shown
    assert str(tmp_path) not in shown and sys.prefix not in shown and "widget" not in shown


# -- what is taken out of a notebook ---------------------------------------------------------


@pytest.fixture
def tidied(tmp_path):
    """Give the outputs of a cell after they are tidied, but for those of exhibits."""

    def tidy(*outputs):
        cell = new_code_cell("1", outputs=list(outputs))
        tidy_notebook(new_notebook(cells=[cell]), tmp_path)
        return cell.outputs

    return tidy


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_what_is_printed_is_parted_by_what_is_shown_alone(tidied):
    shown = new_output("display_data", data={"text/plain": "x"})
    outputs = tidied(
        printed("e1\n", "stderr"), printed("1\n"), printed("e2\n", "stderr"), printed("2\n"),
        shown, printed("3\n"),
    )  # fmt: skip
    assert [output.get("text") for output in outputs] == ["1\n2\n", "e1\ne2\n", None, "3\n"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<f at 0x7f3a5c0b1d30>, 0x1f, at 0x1", "<f at 0x0>, 0x1f, at 0x1"),
        ("Date: Thu, 26 Nov 2026 was a day", "Date: Thu, 26 Nov 2026 was a day"),
        (
            "Date:   Thu, 26 Nov 2026  x\nTime:  04:05:06  y\nNo. Observations: 3",
            "Date:                     x\nTime:            y\nNo. Observations: 3",
        ),
        (f"{tempfile.gettempdir()}/ipykernel_1/2.py:3: Warning", "cell.py:3: Warning"),
    ],
)
def test_only_what_is_not_of_the_inputs_goes(tidied, text, left):
    assert tidied(printed(text))[0].text == left
    (shown,) = tidied(new_output("display_data", data={"text/plain": text, "image/png": text}))
    assert shown.data == {"text/plain": left, "image/png": text}


def test_where_a_kernel_ran_is_not_told(tidied, tmp_path):
    (shown,) = tidied(printed(f"{tmp_path}-x {tmp_path}{os.sep}a {tmp_path} /b"))
    assert shown.text == f"{tmp_path}-x a . /b"


def test_a_long_line_is_tidied_at_once(tidied):
    assert len(tidied(printed("x" * 3_000_000))[0].text) == 3_000_000


@pytest.mark.skipif(not find_chinese_font(), reason="no Chinese font")
def test_chinese_is_drawn_alike_whatever_fonts_a_user_has_listed(monkeypatch):
    name = find_chinese_font()
    fonts = font_manager.fontManager
    bold = font_manager.FontEntry(fname=fonts.findfont("DejaVu Sans"), name=name, weight=700)
    monkeypatch.setattr(fonts, "ttflist", [*fonts.ttflist, bold])
    assert find_chinese_font.__wrapped__() == name
    assert [font.weight for font in fonts.ttflist if font.name == name] == [400]
