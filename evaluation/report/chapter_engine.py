"""The engine of papermill that chapters run in: a notebook is written when it has ended."""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines


class ChapterEngine(NBClientEngine):  # type: ignore[misc]
    """Run a notebook as papermill does, but do not write it before and after every cell.

    That takes longer than short cells do, and a report is no report before it is whole. However
    the notebook ends, papermill then writes it as far as it came.
    """

    name = "chapter"

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any
    ) -> None:
        """Run the cells."""
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        except BaseException:  # else it is written once it is known that no cell failed
            nb_man.output_path = path
            raise


papermill_engines.register(ChapterEngine.name, ChapterEngine)
