"""A kernel that is forked gives what a plain one gives, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report import warm as module
from evaluation.report.chapters import choose_chapters
from evaluation.report.execute import execute_notebook
from evaluation.report.kernels import Kernels, kernel_environment, thread_loop
from evaluation.report.study_parts import check_data
from evaluation.report.warm import WarmKernels, can_fork, shared_kernels
from tests.conftest import REPO

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")
SOON = 60  # seconds, on a busy machine
SIMULATED = REPO / "data" / "jining_simulated"
# A server that has imported nothing: for how kernels start and end.
COLD = "import evaluation.report.warm_server as server; server._preload = lambda **_: dict(); "
# What a chapter may import that no warm kernel has, before it is worth a line in the server.
MODULES_LEFT = 20
TOO_LONG = "6_robustness"  # all of it is drawn and estimated: half a minute for both kinds
TRAPS = """
import sys, pathlib
folder = pathlib.Path("late").resolve(); folder.mkdir(exist_ok=True)
(folder / "late.py").write_text(
    "import warnings; warnings.warn('old', DeprecationWarning); warnings.warn('new'); x = 1"
)
sys.path.insert(0, str(folder))
import late; import late; print(late.x)
sys.path.remove(str(folder))
# %%
import __main__, os, pathlib
print(sys.path, pathlib.Path(sys.argv[0]).name, [a for a in sys.argv if ".json" not in a])
print(sys.orig_argv[1:3], os.getcwd(), sys.flags, sorted(vars(__main__))[:9])
print(__name__, __main__.__spec__, hasattr(__main__, "__file__"))
# %%
import gc, locale, logging, signal, threading, time, warnings
print(locale.getlocale(), time.tzname, signal.getsignal(2), signal.getsignal(17))
print(os.getpid() == os.getpgid(0) == os.getsid(0), gc.isenabled(), sys.getrecursionlimit())
print(os.environ["JPY_PARENT_PID"] == str(os.getppid()), sys.stdin.read(), sys.excepthook)
print(logging.root.handlers, logging.root.level)
print(sorted(type(thread).__name__ for thread in threading.enumerate()))
# %%
import matplotlib as mpl, numpy as np, pandas as pd
print(dict(mpl.rcParams), mpl.get_backend(), np.get_printoptions(), np.geterr())
# %%
import random
print(random.random(), np.random.rand(), np.random.default_rng().random(), {"a", "b", "c"})
# %%
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.title("income");
# %%
import seaborn as sns
frame = pd.DataFrame({"x": range(30), "y": np.random.default_rng().normal(size=30)})
sns.lineplot(frame.assign(x=frame.x % 3), x="x", y="y");
# %%
%config InlineBackend.figure_formats = ["svg", "pdf"]
plt.hist([1, 2]); plt.show(); frame
# %%
import subprocess
code = "import os, sys; print(sys.path, os.getcwd(), os.environ['TZ'])"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True))
# %%
import joblib, multiprocessing
for start in ("fork", "spawn"):
    with multiprocessing.get_context(start).Pool(2) as pool: print(pool.map(abs, [-1, -2]))
print(joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(i) for i in (-4, -5)))
# %%
import asyncio
work = threading.Thread(target=lambda: print("of a thread")); work.start(); work.join()
await asyncio.sleep(0); print(sum(np.ones((300, 300)) @ np.full(300, 0.1)))
# %%
try: input()
except Exception as error: print(type(error), error)
# %%
import ipywidgets, tqdm.auto
print(tqdm.auto.tqdm); get_ipython().kernel.comm_manager.targets
# %%
print("x" * 3_000_000)
# %%
import decimal, pandera.pandas, scipy.stats, statsmodels.api, threadpoolctl
print(decimal.getcontext(), sorted(map(str, warnings.filters)), sorted(os.environ))
print(random.random(), np.random.rand(), np.random.default_rng().random())
code = "import os; print(sorted(os.environ))"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True))
"""


@pytest.fixture(scope="module")
def warm():
    """Give warm kernels that end with these tests."""
    kernels = WarmKernels()
    with kernel_environment():
        kernels.prepare()
        yield kernels
    kernels.close()


@pytest.fixture
def cold(monkeypatch):
    """Give kernels forked from a process that starts at once, as it has imported nothing."""
    code = module._CODE.replace("from evaluation", f"{COLD}from evaluation")
    monkeypatch.setattr(module, "_CODE", code)
    kernels = WarmKernels()
    with kernel_environment():
        yield kernels
    kernels.close()


@pytest.fixture
def run_cells(tmp_path):
    """Run a notebook of cells in a plain kernel or a warm one, and give it as written."""

    def run(warm, *sources, **options):
        node = new_notebook(cells=[new_code_cell(source) for source in ("", *sources)])
        node.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(node, tmp_path / "1_own.ipynb")
        folder = tmp_path / "executed"
        folder.mkdir(exist_ok=True)
        kernels = Kernels(warm=warm, **options)
        with kernel_environment(), thread_loop():
            return execute_notebook(
                tmp_path / "1_own.ipynb", {}, kernels=kernels, folder=folder,
                working_folder=tmp_path,
            )  # fmt: skip

    return run


def printed(notebook):
    return [output.text for cell in notebook.cells for output in cell.get("outputs", ())]


def all_ended(pids):
    gone = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not psutil.wait_procs(gone, timeout=SOON)[1]


# -- what they give ---------------------------------------------------------------------------


def test_a_notebook_of_traps_is_the_same_in_both(run_cells, warm):
    plain, forked = (run_cells(kernels, *TRAPS.split("# %%\n")) for kernels in (None, warm))
    for before, after in zip(plain.cells, forked.cells, strict=True):
        assert after == before
    assert plain == forked
    kinds = [
        kind
        for cell in forked.cells
        for o in cell.get("outputs", ())
        for kind in o.get("data", ())
    ]
    assert (
        kinds.count("image/png") == 2
        and "image/svg+xml" in kinds
        and "application/pdf" in kinds
    )


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os.kill(os.getpid(), 9)",
        "import sys; sys.exit(3)",
        "import os; os._exit(4)",
        "1 / 0",
    ],
)
def test_a_notebook_that_fails_says_the_same_in_both(run_cells, cold, cell):
    told = []
    for kernels in (None, cold):
        with pytest.raises(ReportError) as error:
            run_cells(kernels, "print(1)", cell, "print(2)")
        told.append(str(error.value))
    assert told[0] == told[1]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A copy of the simulated study with a quarter of its villages."""
    folder = shutil.copytree(SIMULATED, tmp_path_factory.mktemp("studies") / "jining_simulated")
    for name in ("villages.csv", "ledger.csv", "projects.csv"):
        header, *rows = (folder / name).read_bytes().splitlines(keepends=True)
        kept = [row for row in rows if int(row.split(b",")[0] or 1) % 4 == 0]
        (folder / name).write_bytes(header + b"".join(kept))
    return Study.load(folder)


@pytest.fixture(scope="module")
def chapters(warm, study, tmp_path_factory):
    """Run the chapters of a study in kernels of both kinds, two at a time."""
    parts = check_data(study)
    place = tmp_path_factory.mktemp("chapters")
    sources = {}
    for name, path in choose_chapters(study).items():
        if name == TOO_LONG:
            continue
        node = nbformat.read(path, as_version=4)
        told = place / f"{name}.json"
        first = "import json as _json, sys as _sys; _before = {*_sys.modules}"
        last = (
            f"with open({str(told)!r}, 'w') as _file:\n"
            "    _json.dump(sorted({*_sys.modules} - _before), _file)"
        )
        node.cells = [new_code_cell(first), *node.cells, new_code_cell(last)]
        nbformat.write(node, place / path.name)
        sources[name] = place / path.name

    def run(kind, name):
        (place / kind).mkdir(exist_ok=True)
        with thread_loop():
            execute_notebook(
                sources[name], {"study": "jining_simulated/study.yml"},
                kernels=Kernels(warm=warm if kind == "warm" else None), folder=place / kind,
                working_folder=study.folder.parent, parts=parts,
            )  # fmt: skip
        return (place / kind / f"{name}.ipynb").read_bytes(), json.loads(
            (place / f"{name}.json").read_text()
        )

    with ThreadPoolExecutor(2) as pool:
        runs = {}
        for kind in ("plain", "warm"):
            runs[kind] = dict(zip(sources, pool.map(partial(run, kind), sources), strict=True))
    return runs


def test_every_chapter_is_the_same_to_the_byte(chapters):
    plain, forked = chapters["plain"], chapters["warm"]
    assert len(plain) == 4
    assert [name for name in plain if plain[name][0] != forked[name][0]] == []


def test_chapters_find_imported_what_they_import(chapters):
    for name, (_, modules) in chapters["warm"].items():
        assert len(modules) <= MODULES_LEFT, (
            f"{name}: import these in warm_server.py: {modules}"
        )
    assert all(len(modules) > 500 for _, modules in chapters["plain"].values())


# -- apart from one another -----------------------------------------------------------------

LOOKS = (
    "import json, pathlib, random, tempfile, uuid, numpy as np, pandas as pd\n"
    "print(hasattr(json, 'mark'), pd.options.display.max_rows)\n"
    "json.mark = 1; pd.options.display.max_rows = 7",
    "print(next(tempfile._get_candidate_names()), uuid.uuid4())",
)


def test_kernels_of_one_server_know_nothing_of_one_another(run_cells, cold):
    one, two = (printed(run_cells(cold, *LOOKS)) for _ in range(2))
    assert one[0] == two[0] == "False 60\n"
    assert not {*one[1].split()} & {*two[1].split()}


def test_variables_are_of_the_kernels_that_they_are_given_to(run_cells, cold):
    cell = "import os; print(os.environ.get('EVALUATION_X'))"
    assert printed(run_cells(cold, cell, variables={"EVALUATION_X": "1"})) == ["1\n"]
    assert printed(run_cells(None, cell, variables={"EVALUATION_X": "2"})) == ["2\n"]
    assert printed(run_cells(cold, cell)) == ["None\n"]


# -- ends -------------------------------------------------------------------------------------


def test_a_server_that_is_killed_is_told_and_another_started(run_cells, cold):
    with pytest.raises(ReportError, match=r"kernel was killed \(SIGKILL\), most likely"):
        run_cells(cold, "import os, time; os.kill(os.getppid(), 9); time.sleep(200)")
    assert printed(run_cells(cold, "print(1)")) == ["1\n"]
    (server,) = cold._servers.values()
    os.kill(server._process.pid, signal.SIGKILL)  # while it has nothing to do
    assert printed(run_cells(cold, "print(2)")) == ["2\n"]


def test_nothing_is_left_when_kernels_are_closed(cold, tmp_path):
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", str(tmp_path / "kernel.json")]
    process = cold.start(argv, env=os.environ, cwd=str(tmp_path))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    other = cold.start(argv, env=os.environ, cwd=str(tmp_path))
    other.terminate()
    assert other.wait(SOON) == other.returncode == -signal.SIGTERM
    server = psutil.Process(process.pid).parent()
    assert [child.pid for child in server.children()] == [process.pid]  # and no zombie
    cold.close()
    assert process.poll() == -signal.SIGKILL
    assert all_ended([process.pid, other.pid, server.pid])


def test_kernels_and_server_end_with_a_process_that_is_killed(cold, tmp_path):
    script = (
        "import os, sys, time\nfrom evaluation.report import warm\n"
        f"warm._CODE = {module._CODE!r}\n"
        "from evaluation.report.kernels import kernel_environment\n"
        "with kernel_environment():\n"
        "    argv = [sys.executable, '-m', 'ipykernel_launcher', '-f', sys.argv[1]]\n"
        "    kernel = warm.shared_kernels('warm').start(argv, env=os.environ, cwd='.')\n"
        "    print(kernel.pid, flush=True)\n    time.sleep(200)\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "kernel.json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        kernel = psutil.Process(int(parent.stdout.readline()))
        processes = [kernel.pid, kernel.ppid()]
        parent.kill()
    assert all_ended(processes)


def test_code_that_has_changed_is_not_used_as_it_was(cold, monkeypatch):
    argv = [sys.executable, "-m", "ipykernel_launcher"]
    before = cold._server(argv, os.environ)
    assert cold._server(argv, {**os.environ, "EVALUATION_X": "1"}) is before
    assert cold._server(argv, {**os.environ, "TZ": "Asia/Shanghai"}) is not before
    again = cold._server(argv, os.environ)
    monkeypatch.setattr(module, "code_state", lambda: ("another",))
    assert cold._server(argv, os.environ) is not again
    assert len(cold._servers) == 1  # nothing ran in the others


# -- where they cannot be ----------------------------------------------------------------------


def test_a_server_with_other_threads_is_not_forked(cold, monkeypatch, tmp_path):
    thread = "import threading as t, time; t.Thread(target=time.sleep, args=(99,)).start(); "
    monkeypatch.setattr(
        module, "_CODE", module._CODE.replace("from eval", f"{thread}from eval")
    )
    argv = [sys.executable, "-m", "ipykernel_launcher"]
    with pytest.raises(module.NotWarmError, match="it has other threads: python"):
        cold.start(argv, env=os.environ, cwd=str(tmp_path))


def test_imports_that_fail_are_told_and_kernels_plain(run_cells, cold, monkeypatch, tmp_path):
    code = module._CODE.replace("from eval", "server._preload = None; from eval")
    monkeypatch.setattr(module, "_CODE", code)
    argv = [sys.executable, "-m", "ipykernel_launcher"]
    with pytest.raises(module.NotWarmError, match="TypeError: 'NoneType' object is not"):
        cold.start(argv, env=os.environ, cwd=str(tmp_path))
    assert printed(run_cells(cold, f"import os; print(os.getppid() == {os.getpid()})")) == [
        "True\n"
    ]


@pytest.mark.parametrize(
    ("argv", "env", "told"),
    [
        (["/usr/bin/R", "-e", "IRkernel::main()"], {}, "not that of this Python"),
        ([sys.executable, "-m", "xeus_python"], {}, "not that of this Python"),
        ([sys.executable, "-m", "ipykernel_launcher"], {"PYTHONPATH": "/a:b"}, "relative"),
    ],
)
def test_what_cannot_be_forked_is_told(cold, argv, env, told):
    with pytest.raises(module.NotWarmError, match=told):
        cold.start(argv, env=env, cwd="/")


def test_the_kind_of_kernels_is_asked_for(monkeypatch):
    assert shared_kernels("plain") is None
    assert shared_kernels() is shared_kernels("warm")
    with pytest.raises(ReportError, match="--kernels hot: warm or plain"):
        shared_kernels("hot")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert shared_kernels() is None
    with pytest.raises(ReportError, match=r"--kernels warm: not on darwin"):
        shared_kernels("warm")
