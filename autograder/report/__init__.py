"""The report: a pure function of a stored Result. `render` is its one door.

Nothing here imports torch, or recomputes what grading found out.
"""

from autograder.report.command import add_parser, main
from autograder.report.rendering import ReportError, render

__all__ = ["ReportError", "add_parser", "main", "render"]
