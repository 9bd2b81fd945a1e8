"""The report: a pure function of stored Results. `render` is its door for one, `render_class` for a class.

Nothing here imports torch, or recomputes what grading found out.
"""

from autograder.report.command import add_parser, main
from autograder.report.rendering import ReportError, render, render_class

__all__ = ["ReportError", "add_parser", "main", "render", "render_class"]
