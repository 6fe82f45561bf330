"""A sweep as a job array of Slurm, whose tasks need no scheduler of their own."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.errors import ReportError

_SCRIPT = """\
#!/bin/bash
# Each task of the array makes its part of the reports; done twice, a part makes only what is
# missing. Submit it with `sbatch {name}`. When all tasks have ended, run
#   {last}
# which makes what is missing, lists what failed, and writes the index.
#SBATCH --job-name=evaluation
#SBATCH --array=1-{parts}
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={processors}
#SBATCH --mem={gigabytes}G
#SBATCH --time={hours:02d}:00:00
#SBATCH --output=%x-%A_%a.log
#SBATCH --requeue
# Your cluster may also want --partition and --account.
set -euo pipefail
cd {folder}
exec {command} --part "${{SLURM_ARRAY_TASK_ID}}/{parts}"
"""


def write_slurm_script(
    path: Path,
    arguments: Sequence[str],
    *,
    parts: int,
    processors: int = 4,
    gigabytes: int = 8,
    hours: int = 12,
) -> None:
    """Write a batch script that makes a sweep's reports in parts.

    Parameters
    ----------
    arguments
        Of ``evaluation sweep``, as they are typed in this folder.
    parts
        Tasks of the array: no more than there are reports.
    processors, gigabytes, hours
        What each task asks for.

    Raises
    ------
    ReportError
        If the script cannot be written.
    """
    command = shlex.join([sys.executable, "-m", "evaluation", "sweep", *arguments])
    text = _SCRIPT.format(
        name=shlex.quote(path.name), folder=shlex.quote(str(Path.cwd())), command=command,
        last=command, parts=parts, processors=processors, gigabytes=gigabytes, hours=hours,
    )  # fmt: skip
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReportError(f"--slurm-script {path}: {error.strerror}.") from error
