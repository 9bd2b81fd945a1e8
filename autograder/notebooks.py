"""nbgrader's execution of students' notebooks, locked down: the preprocessor that stands in for nbgrader's own.

nbgrader runs a notebook in a Jupyter kernel with all the rights of whoever grades. Here every cell goes to a
contestant (`autograder.judge.notebook`) instead. There is no kernel, no port and no ZeroMQ.
"""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Enum, Float, Integer, List, Unicode

from autograder.judge.notebook import NotebookLimits, NotebookProcess


class ConfinedExecute(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs a notebook's code cells in a contestant of its own and puts their outputs into the notebook.

    A cell that raises, hangs or prints without end has an error among its outputs, and the others go on; where the
    whole process ends, the cells after it say so. Where the machine cannot lock a contestant away, nothing runs:
    nbgrader reports the hand-in as not graded, with the reason.
    """

    isolation = Enum(
        ("full", "none"), "full", help="none: run cells with your own rights; only where every hand-in is trusted"
    ).tag(config=True)
    cell_s = Float(900.0, help="seconds that one cell may run").tag(config=True)
    notebook_s = Float(1800.0, help="seconds that all cells of a notebook may run").tag(config=True)
    cell_bytes = Integer(2 << 20, help="bytes that one cell may put out").tag(config=True)
    notebook_bytes = Integer(16 << 20, help="bytes that all cells of a notebook may put out").tag(config=True)
    readable = List(
        Unicode(),
        [],
        help="folders that notebooks may read besides their own, such as that of real images (HW1_DATA)",
    ).tag(config=True)
    environment = List(
        Unicode(), ["HW*_*"], help="patterns of the variables that notebooks receive of yours; no secrets"
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Runs all code cells of ``nb``, in place.

        Raises:
            NotebookUnavailable: this machine cannot lock a contestant away.
        """
        folder, package = Path(resources["metadata"]["path"]), resources["nbgrader"]["assignment"]
        limits = NotebookLimits(self.cell_s, self.notebook_s, self.cell_bytes, self.notebook_bytes)
        variables = {
            name: value
            for name, value in os.environ.items()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.environment)
        }
        if self.isolation == "none":
            self.log.warning("No isolation: the notebooks of this hand-in run with your own rights")
        count = 0
        readable = tuple(Path(path).resolve() for path in self.readable)
        with NotebookProcess(folder, package, limits, self.isolation, variables, readable) as process:
            for cell in nb.cells:
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                if not cell.source.strip():
                    continue
                count += 1
                cell.execution_count = count
                for output in process.run(cell.source):
                    if output["output_type"] == "execute_result":
                        output["execution_count"] = count
                    cell.outputs.append(from_dict(output))  # type: ignore[no-untyped-call]
        return nb, resources
