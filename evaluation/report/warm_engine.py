"""An engine of papermill whose kernels are forked: ``papermill --engine warm``."""

from __future__ import annotations

from typing import Any

from evaluation.report.warm import WarmKernels, can_fork, process_kernels

# papermill imports this module while it is imported itself: neither it nor anything heavy is
# imported here.


class WarmEngine:
    """Run a notebook as papermill does, in a kernel forked from a process that is warm.

    All notebooks that a process runs share what they are forked from:
    ``papermill.execute_notebook(..., engine_name="warm")`` in a loop starts it once. Where a
    kernel cannot be forked it is a plain one, and papermill's log says why.
    """

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Run the cells of a notebook."""
        from papermill.engines import NBClientEngine

        options.setdefault("kernel_manager_class", _manager())
        return NBClientEngine.execute_notebook(nb, kernel_name, **options)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:
        """Give the name of a notebook's kernel."""
        from papermill.utils import nb_kernel_name

        return nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:
        """Give the language of a notebook."""
        from papermill.utils import nb_language

        return nb_language(nb, language)


def _manager() -> type:
    """Give the manager of kernels that have the user's environment and settings."""
    from pathlib import Path

    from papermill.log import logger

    from evaluation.report.warm import NotWarmError
    from evaluation.report.warm_manager import WarmManager

    class Manager(WarmManager):
        def _fork(self, kernels: WarmKernels, kernel_cmd: list[str], **options: Any) -> None:
            if not can_fork():
                raise NotWarmError("this system does not fork safely")
            if Path(options.get("cwd") or ".", "matplotlibrc").exists():
                raise NotWarmError("its folder has a matplotlibrc, read when a kernel starts")
            super()._fork(kernels, kernel_cmd, **options)

        def _tell_plain(self, error: NotWarmError) -> None:
            logger.warning(f"A plain kernel, not a warm one: {error}.")

    Manager.warm_kernels = process_kernels(own_matplotlibrc=False)
    return Manager
