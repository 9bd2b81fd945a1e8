"""What is told when a submission did not answer: it raised, died, hung, or sent nonsense."""

from __future__ import annotations

from pathlib import Path

from autograder.judge.contestant import SubmissionFault
from autograder.results import Status, Text
from autograder.translations import LANGUAGES, N_, catalogue, percent

LOCALE = Path(__file__).resolve().parents[2] / "report_template" / "locale"


NOT_WRITTEN = N_("{stub} is not written yet: fill it in, and take out the line that raises NotImplementedError.")
MISSING = N_("{module}.py is not in the hand-in, so {stub} could not be looked at. Hand it in beside the others.")
RAISED = N_("{stub} raised {type}: {text}")
RAISED_AT = N_("{stub} raised {type} in line {line} of {file}: {text}")
DIED = N_(
    "The process that ran {stub} ended before it answered ({text}). Do not end the process yourself, and look for "
    "endless recursion or very large tensors."
)
TIMEOUT = N_("{stub} did not come back within its time. Look for a loop that never ends.")
MALFORMED = N_("The answer of {stub} could not be read ({text}). Return ordinary tensors.")
NO_CHECK = N_(
    "The grader has no verdict on this criterion: that is a fault of the grader's, not yours. A human will look "
    "at it."
)
AWAITS = N_("Marked by a human; the points are open until then.")
NO_THRESHOLD = N_("There is no threshold for this profile and data yet, so a human decides; `calibrate` makes one.")
BELOW = N_(
    "Trained with your {stub}, the model reached {reached}, and at least {least} is needed. First mend what the "
    "other criteria say about {stub}; if they all pass, the training may have diverged."
)
NEEDS = N_(
    "The weights reach the threshold, but their points also need the criterion {needed}: without it they do not show "
    "that it was your {stub} that was trained. Mend what that criterion says."
)
UNTRAINED = N_("Training with your {stub} could not go on: {text}. First mend what the other criteria say about it.")
WEIGHTS = N_(
    "The weights that your {stub} was trained to do not fit the reference's model ({text}): names and shapes must be "
    "torchvision's, and all numbers finite."
)

NO_NOTEBOOK = N_("There is no answer to be read: {file} is not in the hand-in. Hand it in beside the Python files.")
BROKEN_NOTEBOOK = N_(
    "There is no answer to be read: {file} is no notebook that can be opened. Save it once more in Jupyter."
)
LONG_NOTEBOOK = N_(
    "There is no answer to be read: {file}, or all notebooks together, are too large. Clear their largest outputs."
)
NO_ANSWER = N_(
    "There is no answer to be read: {file} has no cell {cell}. Take the notebook that was handed out, and write into "
    "the cell under the question."
)
ONLY_A_PART = N_("Only a part was graded, as was asked for with {option}.")
NOT_ASKED_FOR = N_("It brings no points, and was not asked for with {option}.")
MANY_ANSWERS = N_("The notebook has more than one cell {cell}; what stands in each of them is shown.")

WEIGHTS_MISSING = N_(
    "Not run: it begins with the published weights {file}, which are not on this machine. To fetch them: {command}"
)
WEIGHTS_DAMAGED = N_("Not run: {file} is not the published file of these weights. To fetch it again: {command}")

_MESSAGES = {"died": DIED, "timeout": TIMEOUT, "malformed": MALFORMED}


def bilingual(message: str, **params: object) -> Text:
    """A message of the judge's catalogue in both languages; a float among ``params`` is told in per cent."""

    def render(language: str) -> str:
        shown = {
            name: percent(value, language) if isinstance(value, float) else value for name, value in params.items()
        }
        return catalogue(LOCALE, "judge", language).gettext(message).format(**shown)

    return Text(**{language: render(language) for language in LANGUAGES})


def verdict(fault: SubmissionFault, stub: str) -> tuple[Status, Text]:
    """The status and the message that a fault earns its criterion."""
    if fault.kind != "raised":
        status: Status = "timeout" if fault.kind == "timeout" else "error"
        return status, bilingual(_MESSAGES[fault.kind], stub=stub, text=fault.text)
    if fault.type_name == "NotImplementedError":
        return "failed", bilingual(NOT_WRITTEN, stub=stub)
    known = {"stub": stub, "type": fault.type_name, "text": fault.text, "file": fault.file, "line": fault.line}
    return "error", bilingual(RAISED_AT if fault.file else RAISED, **known)
