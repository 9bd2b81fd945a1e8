"""The words that checks are written in: inputs to draw, values to expect, and mistakes told in two languages.

A check asks three fixtures. ``submission`` is the work under test. ``draw`` makes its inputs from a seed.
``expected`` compares an answer with what the reference says: in the grader the reference itself computes it, in
the student's folder the numbers were stored when the assignment was released, so that the answer is known there
and the solution is not.
"""

from __future__ import annotations

import gettext
import hashlib
import math
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

PUBLIC_SEED = 0
"""Seed of the inputs that students' own checks draw; the grader's is secret."""

Compute = Callable[[Any], Any]
"""Takes a package of stubs (the reference) and returns a tensor, or a sequence of tensors."""


def N_(message: str) -> str:
    """Marks a message for the translators' catalogue and returns it as it is."""
    return message


NOT_WRITTEN = N_("{stub} is not written yet: fill it in, and take out the line that raises NotImplementedError.")


@dataclass(frozen=True)
class Sentence:
    """A whole sentence to the student: a message of the catalogue and what to put in its braces.

    A parameter that is itself a message of the catalogue (the name of a quantity, say) is translated too.
    """

    message: str
    params: dict[str, Any] = field(default_factory=dict)

    def render(self, translations: gettext.NullTranslations) -> str:
        """The sentence in the language of ``translations``."""
        params = {
            name: translations.gettext(value) if isinstance(value, str) and value else value
            for name, value in self.params.items()
        }
        return translations.gettext(self.message).format(**params)


@dataclass(frozen=True)
class Answer:
    """A wrong answer that fits in form: its numbers, and how far (Euclidean) rounding may carry it from its twin."""

    value: Tensor
    slack: float


class Mistake(AssertionError):
    """An answer that the contract does not allow, in whole sentences: what was expected, what came, where to look.

    ``answers`` are the numbers that came, where it is they that are wrong: a known mistake is recognised by them.
    """

    def __init__(self, *sentences: Sentence, answers: Sequence[Answer] = ()) -> None:
        self.sentences = sentences
        self.answers = answers
        super().__init__(self.render(gettext.NullTranslations()))

    def render(self, translations: gettext.NullTranslations) -> str:
        """The message in the language of ``translations``; English for `gettext.NullTranslations`."""
        return " ".join(sentence.render(translations) for sentence in self.sentences)


def mistake(message: str, *more: str, **params: Any) -> Mistake:
    """A `Mistake` of one sentence with parameters, and of more without."""
    return Mistake(Sentence(message, params), *(Sentence(sentence) for sentence in more))


class Draw:
    """Random inputs that depend on the seed and the check's name alone: the same on every machine.

    They come from numpy's `RandomState`, whose streams numpy has promised never to change, and not from torch's
    generators, which may differ between releases.
    """

    def __init__(self, seed: int, name: str) -> None:
        digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
        self.random = np.random.RandomState(int.from_bytes(digest[:4], "big"))

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Normal numbers of mean 0 and standard deviation ``scale``, float32."""
        return torch.from_numpy((self.random.standard_normal(shape) * scale).astype(np.float32))

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform numbers in [low, high), float32."""
        return torch.from_numpy(self.random.uniform(low, high, shape).astype(np.float32))

    def labels(self, count: int, classes: int) -> Tensor:
        """``count`` classes, int64 in [0, classes)."""
        return torch.from_numpy(self.random.randint(0, classes, count).astype(np.int64))


def tolerance(terms: int, dtype: torch.dtype = torch.float32) -> float:
    """How far two right answers may lie apart, relative to the largest number that takes part.

    Rounding errors of a sum of n terms grow like sqrt(n) times the unit roundoff, whatever the order of summing
    (Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 2.8). Sixteen times that leaves
    room for both sides' error, for exp and log (a few roundoffs each), and for the tail of the distribution.
    """
    return 16 * math.sqrt(terms) * torch.finfo(dtype).eps


def answer(value: Tensor, terms: int, largest: float = 0.0) -> Answer:
    """A wrong answer whose values are sums of ``terms`` numbers up to ``largest``, or up to its own largest."""
    mine = float(value.double().abs().max()) if value.numel() else 0.0
    return Answer(value, tolerance(terms) * max(largest, mine) * math.sqrt(value.numel()))


def is_tensor(answer: Any, what: str) -> Tensor:
    """The answer, if it is a tensor; otherwise a `Mistake`."""
    if not isinstance(answer, Tensor):
        raise mistake(
            N_("{what} must be a torch.Tensor, but is of type {type}."),
            what=what,
            type=getattr(answer, "type_name", type(answer).__name__),
        )
    return answer


def is_callable(made: Any, what: str) -> Callable[..., Any]:
    """What a stub made, if it can be called; otherwise a `Mistake`."""
    if not callable(made):
        raise mistake(
            N_("{what} must give a torch.nn.Module, but gives what is of type {type}."),
            what=what,
            type=getattr(made, "type_name", type(made).__name__),
        )
    function: Callable[..., Any] = made
    return function


def misfit(got: Any, want: Tensor, what: str) -> Sentence | None:
    """None if ``got`` is a tensor of the shape and kind of ``want`` and finite, else what is wrong with its form."""
    try:
        got = is_tensor(got, what).detach()
    except Mistake as problem:
        return problem.sentences[0]
    if got.is_floating_point() != want.is_floating_point():
        kinds = {"what": what, "want": str(want.dtype), "got": str(got.dtype)}
        return Sentence(N_("{what} must hold {want} numbers, but holds {got}."), kinds)
    if got.shape != want.shape:
        shapes = {"what": what, "want": str(tuple(want.shape)), "got": str(tuple(got.shape))}
        return Sentence(N_("{what} must have the shape {want}, but has {got}."), shapes)
    bad_numbers = ~torch.isfinite(got.double())
    if bad_numbers.any() and not want.dim():
        return Sentence(N_("{what} is not finite, but nan or inf."), {"what": what})
    if bad_numbers.any():
        places = {"what": what, "where": _first(bad_numbers)}
        return Sentence(N_("{what} has numbers that are not finite (nan or inf), the first at {where}."), places)
    return None


def compare(got: Tensor, want: Tensor, what: str, terms: int, scale: float | None, reveal: bool) -> list[Sentence]:
    """Nothing if each value of ``got`` is that of ``want`` up to rounding, else what is wrong; they fit in form.

    ``terms`` is the length of the longest sum behind a value, ``scale`` the largest number that takes part (the
    largest in ``want`` if None), ``reveal`` whether the message may show the expected number.
    """
    if not want.numel():
        return []
    difference = (got.double() - want.double()).abs()
    wrong = difference > tolerance(terms) * _largest(want, scale)
    if not wrong.any():
        return []
    problem = Sentence(N_("{what} is not what is expected."), {"what": what})
    if want.numel() > 1:
        problem = Sentence(
            N_("{what} differs from what is expected at {count} of {total} places, the first at {where}."),
            {"what": what, "count": int(wrong.sum()), "total": want.numel(), "where": _first(wrong)},
        )
    if not reveal:
        return [problem]
    index = tuple(int(i) for i in wrong.nonzero()[0])
    numbers = {"want": f"{float(want[index]):.6g}", "got": f"{float(got[index]):.6g}"}
    if want.numel() == 1:
        return [problem, Sentence(N_("Expected is {want}, and {got} came."), numbers)]
    return [problem, Sentence(N_("Expected is {want} there, and {got} came."), numbers)]


def _largest(want: Tensor, scale: float | None) -> float:
    """The largest number that takes part: ``scale`` if it is told, else the largest expected."""
    largest = float(want.double().abs().max()) if scale is None and want.numel() else scale or 0.0
    return max(largest, 1e-6)


def _first(mask: Tensor) -> str:
    return str([int(i) for i in mask.nonzero()[0]])


def tensors(answer: Any) -> Sequence[Any]:
    """A single answer as a sequence of one; a sequence as it is."""
    return answer if isinstance(answer, (tuple, list)) else (answer,)


def has_shape(answer: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """The answer, if it is a tensor of this shape; otherwise a `Mistake`."""
    tensor = is_tensor(answer, what)
    if tuple(tensor.shape) != shape:
        raise mistake(
            N_("{what} must have the shape {want}, but has {got}."),
            what=what,
            want=str(shape),
            got=str(tuple(tensor.shape)),
        )
    return tensor


def several(answer: Any, count: int) -> Sequence[Tensor]:
    """The answer, if it is a tuple or list of ``count`` tensors; otherwise a `Mistake`."""
    if not isinstance(answer, (tuple, list)) or len(answer) != count:
        got = len(answer) if isinstance(answer, (tuple, list)) else 1
        raise mistake(N_("{want} values must be returned, but {got} came."), want=count, got=got)
    return [is_tensor(value, N_("Each returned value")) for value in answer]


def gradients(function: Callable[..., Any], *inputs: Tensor) -> list[Tensor]:
    """Gradients of the scalar ``function(*inputs)`` with respect to each input; the inputs stay as they are.

    Raises:
        Mistake: the result is not a scalar tensor, or does not depend on the inputs (it was detached).
    """
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    value = is_tensor(function(*leaves), N_("The result"))
    if value.numel() != 1:
        has_shape(value, (), N_("The result"))
    if not value.requires_grad:
        raise mistake(
            N_(
                "No gradient flows from the result back to the input. Do not detach it, and do not turn it into a "
                "number with item(), float() or numpy()."
            )
        )
    return list(torch.autograd.grad(value.sum(), leaves, allow_unused=True, materialize_grads=True))


def finite(answer: Any, hint: str) -> Tensor:
    """The answer, if it is a scalar tensor and finite; otherwise a `Mistake` that ends with ``hint``."""
    value = is_tensor(answer, N_("The result"))
    if value.numel() != 1:
        has_shape(value, (), N_("The result"))
    if not bool(torch.isfinite(value).all()):
        raise mistake(N_("{what} is not finite, but nan or inf."), hint, what=N_("The result"))
    return value


def finite_gradients(function: Callable[..., Any], *inputs: Tensor, hint: str) -> Tensor:
    """The value of the scalar ``function(*inputs)``, if it and its gradients are finite; otherwise a `Mistake`.

    A value without a gradient is let pass: a constant is finite too.
    """
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    value = finite(function(*leaves), hint)
    if value.requires_grad:
        for slope in torch.autograd.grad(value.sum(), leaves, allow_unused=True, materialize_grads=True):
            if not bool(torch.isfinite(slope).all()):
                raise mistake(N_("{what} is not finite, but nan or inf."), hint, what=N_("A gradient"))
    return value.detach()


class Expected:
    """Compares answers with the reference's, computed here and now or stored when the assignment was released.

    A check may compare once, and asks the submission for nothing before that: the inputs must be as they were
    drawn when the reference sees them.

    Args:
        name: the check's name; stored values are kept under it.
        reference: the package of reference stubs, or None where only stored values are to be had.
        store: the stored values, key to array; what a reference computes is added to it, once for all answers.
        reveal: whether a message may show an expected number.
    """

    def __init__(
        self, name: str, reference: Any | None, store: dict[str, np.ndarray] | None = None, *, reveal: bool
    ) -> None:
        self.name = name
        self.reference = reference
        self.store = {} if store is None else store
        self.reveal = reveal
        self.spent = False

    def close(
        self, submission: Any, compute: Compute, *names: str, terms: int, hint: str, scale: float | None = None
    ) -> None:
        """Compares what the submission gives with what the reference gives for the same inputs.

        Args:
            submission: the work under test.
            compute: takes a package of stubs and returns a tensor, or several, from it.
            names: what to call each tensor in a message, marked with `N_`.
            terms: length of the longest sum behind one value; see `tolerance`.
            hint: a whole sentence, marked with `N_`, that says what the contract asks and where to look.
            scale: the largest number that takes part; None for the largest expected value.

        Raises:
            Mistake: they differ.
            KeyError: there is neither a reference nor a stored value (the release is stale).
            RuntimeError: the check compares a second time.
        """
        pairs = list(self._pairs(submission, compute, names, hint))
        for got, want, what in pairs:
            problems = compare(got, want, what, terms, scale, self.reveal)
            if problems:
                raise Mistake(
                    *problems,
                    Sentence(hint),
                    answers=[answer(got, terms, _largest(want, scale)) for got, want, _ in pairs],
                )

    def close_in_length(self, submission: Any, compute: Compute, *names: str, share: float, hint: str) -> None:
        """Compares as `close` does, but each tensor as one arrow: it may miss by ``share`` of the expected length.

        For what rounding may change by leaps at a few places, such as gradients through ReLU and max-pool.
        """
        pairs = list(self._pairs(submission, compute, names, hint))
        for got, want, what in pairs:
            if (got.double() - want.double()).norm() > share * want.double().norm():
                raise Mistake(
                    Sentence(N_("{what} is not what is expected."), {"what": what}),
                    Sentence(hint),
                    answers=[Answer(got, share * float(got.double().norm())) for got, _, _ in pairs],
                )

    def _pairs(
        self, submission: Any, compute: Compute, names: Sequence[str], hint: str
    ) -> Iterator[tuple[Tensor, Tensor, str]]:
        """What the submission gives, what the reference gives, and the name of each; the two fit in form."""
        # The submission comes last: it may write into the inputs, and what were computed from them then would be
        # its own expectation, for this answer and, kept, for all that follow.
        wanted = self._values(compute)
        answers = tensors(compute(submission))
        if len(answers) != len(wanted):
            counts = {"want": len(wanted), "got": len(answers)}
            raise Mistake(Sentence(N_("{want} values must be returned, but {got} came."), counts), Sentence(hint))
        for got, want, what in zip(answers, wanted, names, strict=True):
            problem = misfit(got, want, what)
            if problem is not None:
                raise Mistake(problem, Sentence(hint))
            yield got.detach(), want, what

    def _values(self, compute: Compute) -> list[Tensor]:
        """What the reference gives for ``compute``, one tensor for each that it returns."""
        if self.spent:
            raise RuntimeError(f"{self.name} compares twice: the submission may have changed the inputs by now")
        self.spent = True
        if f"{self.name}:0" not in self.store:
            if self.reference is None:
                raise KeyError(f"no stored value for {self.name}: the assignment's expected.npz is out of date")
            for i, value in enumerate(tensors(compute(self.reference))):
                self.store[f"{self.name}:{i}"] = value.detach().clone().numpy()
        values: list[Tensor] = []
        while (key := f"{self.name}:{len(values)}") in self.store:
            values.append(torch.from_numpy(np.array(self.store[key])))
        return values


def write_stored(values: dict[str, np.ndarray], path: Path) -> None:
    """Writes stored values as an npz that depends on them alone, not on the day it was written."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in sorted(values):
            member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, values[key], allow_pickle=False)


def read_stored(path: Path) -> dict[str, np.ndarray]:
    """Reads what `write_stored` wrote; empty if there is no such file."""
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
