"""What the pages show, worked out of a Result in one language: parts of the score, measures, sentences, omissions.

Nothing is graded, measured or trained here: sums and differences of stored numbers, and words for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal

from markupsafe import Markup, escape

from autograder.report.arrays import Arrays
from autograder.report.bidi import Direction, clean, direction_of, isolate, verbatim
from autograder.report.language import Language
from autograder.results import Answer, Criterion, Experiment, Result, Text, Written
from autograder.translations import N_

Audience = Literal["instructor", "student"]

MEASURES = {
    "source_test": N_("Source test set"),
    "target_test": N_("Target test set"),
    "clean": N_("Clean test set"),
    "fgsm": N_("FGSM (eps = 0.1) with noise"),
    "fgsm_8": N_("FGSM (eps = 8/255)"),
    "pgd_8": N_("PGD (eps = 8/255)"),
}
"""What the known metrics are called; an unknown one goes by its own name."""

EMBEDDED = {"synth_digits": "SVHN", "sklearn_digits": "MNIST", "objects10": "CIFAR-10"}
"""The embedded data sets, each with the real one it stands in for and must never be taken for."""

DATA = {
    "synth_digits": N_("Street digits drawn by the kit; they stand in for SVHN and are not SVHN."),
    "sklearn_digits": N_("The real handwritten digits that come with scikit-learn; they stand in for MNIST."),
    "objects10": N_("Ten classes of objects drawn by the kit; they stand in for CIFAR-10 and are not CIFAR-10."),
    "svhn": N_("Street View House Numbers, real images from the store on disk."),
    "mnist": N_("MNIST, real handwritten digits from the store on disk."),
    "cifar10": N_("CIFAR-10, real images from the store on disk."),
}
"""What the known data sets are."""

CLASSES = {
    "objects10": (
        N_("disc"),
        N_("ring"),
        N_("crescent"),
        N_("square"),
        N_("frame"),
        N_("triangle"),
        N_("star"),
        N_("cross"),
        N_("hourglass"),
        N_("arrow"),
    ),
    "cifar10": (
        N_("airplane"),
        N_("automobile"),
        N_("bird"),
        N_("cat"),
        N_("deer"),
        N_("dog"),
        N_("frog"),
        N_("horse"),
        N_("ship"),
        N_("truck"),
    ),
}
"""The names of the classes of data sets whose classes are no digits."""

QUESTIONS = {
    "Q1": N_("Question 1: generalisation"),
    "Q2": N_("Question 2: adversarial robustness"),
}
"""What the known questions are called."""

COMPARED = ("target_test", "clean", "fgsm", "pgd_8")
"""The metrics by which the experiments of a question are compared in words."""

STATUSES = {
    "passed": N_("Passed"),
    "failed": N_("Failed"),
    "error": N_("Error"),
    "timeout": N_("Timed out"),
    "pending": N_("Awaiting review"),
}
"""What a criterion's status is called."""

MARKS = {
    "full": N_("Full points"),
    "part": N_("Part of the points"),
    "none": N_("No points"),
}
"""What it is called how much a human gave."""

_LEVEL = 0.0005  # differences below half of the last shown digit are none
_ATTACKS = ("fgsm", "fgsm_8", "pgd_8")


@dataclass(frozen=True)
class Score:
    """The whole score in points.

    ``earned`` automatically, ``marked`` by a human, ``pending`` until one does, and ``lost``: what is none of these.
    """

    total: float
    earned: float
    marked: float
    pending: float
    lost: float
    maximum: float

    def share(self, points: float) -> str:
        """Points as a CSS percentage of the maximum."""
        return _css_percent(points / self.maximum if self.maximum else 0)


@dataclass(frozen=True)
class Block:
    """A paragraph of what somebody wrote, or a piece of code in it, with the direction of its first letter."""

    code: bool
    direction: Direction
    text: Markup


@dataclass(frozen=True)
class Reply:
    """A criterion that a human marks, with its question, the student's answer and the marker's comment.

    All are paragraphs; ``model`` and ``marking`` are empty for students.
    """

    criterion: Criterion
    anchor: str
    question: list[Markup]
    rubric: list[Markup]
    model: list[Markup]
    marking: list[Markup]
    answer: list[Block]
    comment: list[Block]


@dataclass(frozen=True)
class Part:
    """The criteria of one stub, or of the written answers, with their points, and what mistake was recognised.

    Bonus points are counted apart. ``replies`` has an entry for each criterion of a part that a human marks.
    """

    name: Markup
    anchor: str
    criteria: list[Criterion]
    diagnoses: list[Text]
    replies: list[Reply] = field(default_factory=list)

    @property
    def manual(self) -> bool:
        """Whether a human marks it."""
        return bool(self.replies)

    @property
    def points(self) -> float:
        """Points earned, without bonus points."""
        return sum(each.points for each in self.criteria if not each.bonus)

    @property
    def maximum(self) -> float:
        """Points there are, without bonus points."""
        return sum(each.max_points for each in self.criteria if not each.bonus)

    @property
    def bonus(self) -> float:
        """Bonus points earned."""
        return sum(each.points for each in self.criteria if each.bonus)

    @property
    def bonus_maximum(self) -> float:
        """Bonus points there are."""
        return sum(each.max_points for each in self.criteria if each.bonus)

    @property
    def pending(self) -> float:
        """Points, without bonus, that await a human."""
        return sum(each.max_points for each in self.criteria if each.status == "pending" and not each.bonus)

    def share(self, points: float) -> str:
        """Points as a CSS percentage of the part's own maximum."""
        return _css_percent(points / self.maximum if self.maximum else 0)

    @property
    def filled(self) -> str:
        """How much of the part's bar is filled: of the bonus, where there is nothing else."""
        if self.maximum:
            return self.share(self.points)
        return _css_percent(self.bonus / self.bonus_maximum if self.bonus_maximum else 0)


@dataclass(frozen=True)
class Measure:
    """One measured accuracy beside what it is compared with; fractions, None where there is none."""

    metric: str
    name: Markup
    value: float | None
    threshold: float | None
    reference: float | None
    published: float | None

    @property
    def verdict(self) -> Literal["reached", "missed", ""]:
        """Whether the threshold is reached; empty where there is nothing to compare."""
        if self.value is None or self.threshold is None:
            return ""
        return "reached" if self.value >= self.threshold else "missed"

    def share(self, fraction: float) -> str:
        """A fraction as a CSS percentage."""
        return _css_percent(fraction)


@dataclass(frozen=True)
class Chapter:
    """One experiment of the report; ``number`` is its place among all."""

    number: int
    experiment: Experiment
    anchor: str
    title: Markup
    data: Markup
    measures: list[Measure]
    sentences: list[Markup]
    arrays: Arrays
    missing: list[Markup] = field(default_factory=list)

    def measured(self, metric: str) -> Measure | None:
        """The measure of that metric, if the experiment has it."""
        return next((each for each in self.measures if each.metric == metric), None)

    @property
    def verdict(self) -> Literal["reached", "missed", ""]:
        """Whether all thresholds are reached; empty where there is none, or nothing to compare."""
        verdicts = {measure.verdict for measure in self.measures} - {""}
        return "" if not verdicts else "missed" if "missed" in verdicts else "reached"


@dataclass(frozen=True)
class Question:
    """The experiments of one question side by side.

    ``metrics`` are the columns of their table, each with its name; ``sentences`` say which experiment does best.
    """

    number: int
    title: Markup
    metrics: list[tuple[str, Markup]]
    chapters: list[Chapter]
    sentences: list[Markup]

    @property
    def anchor(self) -> str:
        """The end of the address of the section."""
        return f"question-{self.number}"


@dataclass(frozen=True)
class DataSet:
    """A data set that an experiment names, and what it is; empty where that is not known."""

    name: Markup
    description: Markup


@dataclass(frozen=True)
class Omission:
    """Something that was left out, and why."""

    what: Markup
    why: Markup


@dataclass(frozen=True)
class Page:
    """Everything the templates need beside the figures."""

    result: Result
    language: Language
    audience: Audience
    submission: Markup
    score: Score
    parts: list[Part]
    chapters: list[Chapter]
    questions: list[Question]
    data_sets: list[DataSet]
    omissions: list[Omission]

    @property
    def running_head(self) -> str:
        """The student's name as plain text, short enough for the head of a page."""
        name = clean(self.result.student.name)
        return name if len(name) <= 60 else name[:59] + "…"

    @property
    def attention(self) -> int:
        """How many criteria lost points."""
        return sum(
            each.status in ("failed", "error", "timeout") and each.kind != "manual" for each in self.result.criteria
        )


def build(result: Result, arrays: list[Arrays], language: Language, audience: Audience) -> Page:
    """The page of a Result in one language; ``arrays`` holds one entry per experiment, in order.

    A student's page has neither the path the instructor graded nor the isolation, the grader's faults, the model
    answers and any seed (the hidden inputs are drawn from the experiments' one): they are absent from the document,
    not hidden in it.
    """
    path = result.submission.path
    chapters = [
        _chapter(number, experiment, stored, language)
        for number, (experiment, stored) in enumerate(zip(result.experiments, arrays, strict=True))
    ]
    return Page(
        result=result,
        language=language,
        audience=audience,
        submission=verbatim(path if audience == "instructor" else PurePath(path.replace("\\", "/")).name),
        score=_score(result),
        parts=_parts(result, language, audience),
        chapters=chapters,
        questions=_questions(chapters, language),
        data_sets=_data_sets(result.experiments, language),
        omissions=_omissions(result, chapters, language),
    )


def measure_name(metric: str, language: Language) -> Markup:
    """What a metric is called."""
    return language.say(MEASURES[metric]) if metric in MEASURES else verbatim(metric)


def group_name(group: int, experiment: Experiment, language: Language) -> Markup:
    """What a group of embedded images is called: the third is what the experiment tests beside its own test set."""
    _ = language.say
    if group == 0:
        return _("Training set")
    if group == 1:
        return _("Test set")
    if "target_test" in _metrics(experiment):
        # A row is measured on the data of its own training first, then on the other.
        return measure_name((list(experiment.metrics) or ["target_test"])[-1], language)
    return _("Adversarial test set")


def _css_percent(fraction: float) -> str:
    return f"{min(max(fraction, 0), 1) * 100:.2f}%"


def class_names(experiment: Experiment, language: Language) -> list[Markup]:
    """The names of the classes of an experiment's images, in the order of the labels; digits name themselves."""
    data = (_names(experiment) or [""])[-1]
    if data in CLASSES:
        return [language.say(name) for name in CLASSES[data]]
    return [Markup(language.digits(str(number))) for number in range(10)]


def _score(result: Result) -> Score:
    marked = sum(each.points for each in result.criteria if each.kind == "manual" and not each.bonus)
    return Score(
        total=result.score,
        earned=max(result.score - marked, 0),
        marked=marked,
        pending=result.pending,
        lost=max(result.max_score - result.score - result.pending, 0),
        maximum=result.max_score,
    )


_LINE = re.compile(r"\s*(?:[-*+•–]\s|(?:\d{1,3}|\w)[.)]\s|#{1,6}\s|[|>])|\t| {4}")
"""How a line begins that is not joined with the one before: an item, a heading, a row of a table, a quotation."""
_WHOLE = re.compile(r"^\s*(?:#{1,6}\s|\|)|(?:  |\\)$")
"""A line that the next one is not joined with: a heading, a row of a table, one that ends with a break."""


_LONG = re.compile("[^ \t\n]{100}(?=[^ \t\n])")
"""So much without a space is no word, and may end a line: print takes the square of how long a word is."""


def blocks(text: str, default: Direction) -> list[Block]:
    """A student's or a marker's text as paragraphs, and as code between fences.

    Lines of a paragraph are joined where Markdown joins them. All else that Markdown or HTML would be stays as it was
    typed: nothing is rendered, and nothing can hide in it.

    Args:
        text: as it was typed.
        default: the direction of a paragraph without letters.
    """
    found: list[Block] = []
    lines: list[str] = []
    fence = ""

    def end() -> None:
        while lines and not lines[-1].strip():
            lines.pop()
        part = _LONG.sub("\\g<0>\u200b", clean("\n".join(lines))).lstrip("\n")
        direction = "ltr" if fence else direction_of(part, default)
        if part.strip():
            # A Persian sentence in a Latin paragraph is more than terms: its words stay one run.
            told = isolate(part, direction) if direction == "rtl" and not fence else escape(part)
            found.append(Block(bool(fence), direction, told))
        lines.clear()

    for line in text.split("\n"):
        mark = line.strip()
        if fence:
            if mark.startswith(fence) and not mark.strip(fence[0]):
                end()
                fence = ""
            else:
                lines.append(line or " ")  # or an empty line in code may be taken for one between elements
        elif mark.startswith(("```", "~~~")):
            end()
            fence = mark[:3]
        elif mark and lines and not _LINE.match(line) and not _WHOLE.search(lines[-1]):
            lines[-1] = f"{lines[-1]} {line.lstrip()}"
        elif mark:
            lines.append(line)
        else:
            end()
    end()
    return found


def _reply(criterion: Criterion, anchor: str, language: Language, audience: Audience) -> Reply:
    def paragraphs(text: Text) -> list[Markup]:
        words, code = language.words(text)
        return [language.text(Text(**{code: each})) for each in re.split(r"\n\s*\n", words) if each.strip()]

    written = criterion.written or Written(notebook="", answer=Answer(state="unread"))
    secret, (comment, _) = audience == "instructor", language.words(criterion.message)
    return Reply(
        criterion=criterion,
        anchor=anchor,
        question=paragraphs(written.question),
        rubric=paragraphs(written.rubric),
        model=paragraphs(written.model) if secret else [],
        marking=paragraphs(written.marking) if secret else [],
        answer=blocks(written.answer.text, language.direction),
        comment=blocks(comment, language.direction) if criterion.mark else [],
    )


def _parts(result: Result, language: Language, audience: Audience) -> list[Part]:
    _ = language.say
    groups: dict[str, list[Criterion]] = {}
    for criterion in result.criteria:
        groups.setdefault(criterion.stub, []).append(criterion)
    parts = []
    for number, (stub, members) in enumerate(groups.items(), start=1):
        if stub:
            name = verbatim(stub)
        elif all(member.kind == "manual" for member in members):
            name = _("Written answers")
        else:
            name = _("General")
        diagnoses = [diagnosis.text for diagnosis in result.diagnoses if diagnosis.stub == stub]
        replies = []
        if all(member.kind == "manual" for member in members):
            replies = [
                _reply(member, f"answer-{number}-{place}", language, audience)
                for place, member in enumerate(members, start=1)
            ]
        parts.append(Part(name, f"part-{number}", members, diagnoses, replies))
    return parts


def _metrics(experiment: Experiment) -> list[str]:
    """The experiment's metrics, those with a name first and in the order of the names."""
    named = (experiment.metrics, experiment.thresholds, experiment.reference, experiment.published)
    present = {metric for each in named for metric in each}
    return [metric for metric in MEASURES if metric in present] + sorted(present - set(MEASURES))


def _questions(chapters: list[Chapter], language: Language) -> list[Question]:
    """The chapters by question, questions that the kit does not know last."""
    groups: dict[str, list[Chapter]] = {name: [] for name in QUESTIONS}
    for chapter in chapters:
        groups.setdefault(chapter.experiment.question if chapter.experiment.question in groups else "", []).append(
            chapter
        )
    questions = []
    for number, (name, members) in enumerate(groups.items(), start=1):
        if members:
            present = {metric for chapter in members for metric in _metrics(chapter.experiment)}
            columns = [metric for metric in MEASURES if metric in present] + sorted(present - set(MEASURES))
            title = language.say(QUESTIONS[name]) if name else language.say("Further experiments")
            names = [(metric, measure_name(metric, language)) for metric in columns]
            sentences = _comparisons(members, language)
            questions.append(Question(number, title, names, members, sentences))
    return questions


def _comparisons(chapters: list[Chapter], language: Language) -> list[Markup]:
    """Which experiment of a question does best, for each metric that matters, against the first of them.

    Only those count that are tested on the same data in the end as the first one.
    """
    tested = [(_names(chapter.experiment) or [""])[-1] for chapter in chapters]
    alike = [chapter for chapter, data in zip(chapters, tested, strict=True) if data == tested[0]]
    sentences = []
    for metric in COMPARED:
        ran = [chapter for chapter in alike if metric in chapter.experiment.metrics]
        if len(ran) < 2 or ran[0] is not chapters[0]:
            continue
        best = max(ran, key=lambda chapter: chapter.experiment.metrics[metric])
        first = ran[0]
        gap = best.experiment.metrics[metric] - first.experiment.metrics[metric]
        values = {
            "measure": measure_name(metric, language),
            "first": first.title,
            "best": best.title,
            "value": language.percent(best.experiment.metrics[metric]),
            "gap": language.percentage_points(gap),
        }
        if gap < _LEVEL:
            sentences.append(
                language.say("%(measure)s: no experiment does better than “%(first)s” with %(value)s.", **values)
            )
        else:
            sentences.append(
                language.say(
                    "%(measure)s: “%(best)s” does best, %(value)s, by %(gap)s percentage points over “%(first)s”.",
                    **values,
                )
            )
    return sentences


def _chapter(number: int, experiment: Experiment, arrays: Arrays, language: Language) -> Chapter:
    measures = [
        Measure(
            metric,
            measure_name(metric, language),
            experiment.metrics.get(metric),
            experiment.thresholds.get(metric),
            experiment.reference.get(metric),
            experiment.published.get(metric),
        )
        for metric in _metrics(experiment)
    ]
    anchor = re.sub(r"[^a-z0-9]+", "-", experiment.id.lower()).strip("-")
    return Chapter(
        number=number,
        experiment=experiment,
        anchor=f"experiment-{anchor}",
        title=language.title(experiment),
        data=_data(experiment, language),
        measures=measures,
        sentences=_sentences(experiment, measures, language),
        arrays=arrays,
        missing=_missing(experiment, arrays, language),
    )


def _names(experiment: Experiment) -> list[str]:
    """The data sets of ``source -> target``."""
    return [name.strip() for name in experiment.data.split("->") if name.strip()]


def _data(experiment: Experiment, language: Language) -> Markup:
    """The experiment's data by name; embedded data are said to be none of the real sets they stand in for."""
    names = _names(experiment)
    data = verbatim(" → ".join(names))
    real = "/".join(EMBEDDED[name] for name in names if name in EMBEDDED)
    if not real:
        return data
    return language.say("%(data)s (embedded, not %(real)s)", data=data, real=verbatim(real))


def _data_sets(experiments: list[Experiment], language: Language) -> list[DataSet]:
    names = dict.fromkeys(name for experiment in experiments for name in _names(experiment))
    return [DataSet(verbatim(name), language.say(DATA[name]) if name in DATA else Markup()) for name in names]


def _sentences(experiment: Experiment, measures: list[Measure], language: Language) -> list[Markup]:
    """The experiment's figures in words: each measure against its threshold and the reference, then what it means."""
    sentences = []
    embedded = any(name in EMBEDDED for name in _names(experiment))
    for measure in measures:
        if measure.value is not None:
            sentence = [
                _against_threshold(measure, language),
                _against_reference(measure, language),
                _against_published(measure, embedded, language),
            ]
            sentences.append(Markup(" ").join(each for each in sentence if each))
    drop = _drop(experiment, language)
    return [*sentences, drop] if drop else sentences


def _against_threshold(measure: Measure, language: Language) -> Markup:
    _ = language.say
    if measure.value is None:
        return Markup()
    values = {"measure": measure.name, "value": language.percent(measure.value)}
    if measure.threshold is None:
        return _("%(measure)s: the accuracy is %(value)s.", **values)
    gap = measure.value - measure.threshold
    values |= {"threshold": language.percent(measure.threshold), "gap": language.percentage_points(gap)}
    if gap < 0:
        return _(
            "%(measure)s: the accuracy is %(value)s, %(gap)s percentage points below the threshold of %(threshold)s.",
            **values,
        )
    if gap < _LEVEL:
        return _("%(measure)s: the accuracy is %(value)s and just reaches the threshold.", **values)
    return _(
        "%(measure)s: the accuracy is %(value)s, %(gap)s percentage points above the threshold of %(threshold)s.",
        **values,
    )


def _against_reference(measure: Measure, language: Language) -> Markup:
    _ = language.say
    if measure.value is None or measure.reference is None:
        return Markup()
    gap = measure.value - measure.reference
    values = {"reference": language.percent(measure.reference), "gap": language.percentage_points(gap)}
    if abs(gap) < _LEVEL:
        return _("The reference reaches the same on average.")
    if gap < 0:
        return _("The reference reaches %(reference)s on average, %(gap)s percentage points more.", **values)
    return _("The reference reaches %(reference)s on average, %(gap)s percentage points less.", **values)


def _against_published(measure: Measure, embedded: bool, language: Language) -> Markup:
    _ = language.say
    if measure.published is None:
        return Markup()
    published = language.percent(measure.published)
    if embedded:
        return _("The course's report has %(published)s, on the real images.", published=published)
    return _("The course's report has %(published)s.", published=published)


def _drop(experiment: Experiment, language: Language) -> Markup:
    """What the change of data, or the strongest measured attack, costs."""
    _ = language.say
    metrics = experiment.metrics
    if "source_test" in metrics and "target_test" in metrics:
        own, other = (name for name in metrics if name in ("source_test", "target_test"))  # trained on comes first
        drop = metrics[own] - metrics[other]
        values = {
            "own": measure_name(own, language),
            "other": measure_name(other, language),
            "gap": language.percentage_points(drop),
        }
        if drop >= _LEVEL:
            return _("From “%(own)s” to “%(other)s” the accuracy falls by %(gap)s percentage points.", **values)
        if drop <= -_LEVEL:
            return _("From “%(own)s” to “%(other)s” the accuracy rises by %(gap)s percentage points.", **values)
        return _("From “%(own)s” to “%(other)s” the accuracy stays the same.", **values)
    attacks = [name for name in _ATTACKS if name in metrics]
    if "clean" not in metrics or not attacks:
        return Markup()
    strongest = min(attacks, key=lambda name: metrics[name])
    drop = metrics["clean"] - metrics[strongest]
    if drop < _LEVEL:
        return _("None of the attacks lowers the accuracy.")
    return _(
        "The strongest of the measured attacks, %(attack)s, takes %(gap)s percentage points and leaves %(rest)s.",
        attack=measure_name(strongest, language),
        gap=language.percentage_points(drop),
        rest=language.percent(metrics[strongest]),
    )


def _missing(experiment: Experiment, arrays: Arrays, language: Language) -> list[Markup]:
    """Which figures of an experiment that ran have no data."""
    _ = language.say
    if experiment.status == "not_run":
        return []
    missing = []
    if arrays.curves is None:
        missing.append(_("Learning curves"))
    if arrays.embedding is None:
        missing.append(_("Map of the features"))
    if "clean" in _metrics(experiment):
        if arrays.grid is None:
            missing.append(_("Images before and after the attack"))
        if arrays.robustness is None:
            missing.append(_("Accuracy over the strength of the attack"))
    return missing


def _omissions(result: Result, chapters: list[Chapter], language: Language) -> list[Omission]:
    _ = language.say
    omissions = []
    for chapter in chapters:
        if chapter.experiment.status == "not_run":
            why = language.text(chapter.experiment.note) or _("No reason is recorded.")
            omissions.append(Omission(chapter.title, why))
        for figure in chapter.missing:
            what = _("%(experiment)s: %(figure)s", experiment=chapter.title, figure=figure)
            omissions.append(Omission(what, _("The data of this figure are not stored with the result.")))
    for criterion in result.criteria:
        lacking = criterion.written is not None and criterion.written.answer.state == "unread"
        if lacking or criterion.status == "pending":
            note = criterion.written.answer.note if criterion.written else Text()
            why = language.text(note if lacking else criterion.message)
            omissions.append(Omission(language.title(criterion), why or _("Awaits a human; it costs no points.")))
    for each in result.skipped:
        omissions.append(Omission(language.title(each), language.text(each.reason) or _("No reason is recorded.")))
    return omissions
