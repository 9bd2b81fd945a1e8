"""The corpus is what it says: right solutions behave as the reference does, wrong ones do not, twins of wrong ones as
these do, and labels are whole.

Nothing here uses the checks that the corpus is there to try: behaviour is compared straight with the reference, on
inputs that the contract allows.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.contestant.zygote import load_torchvision

load_torchvision()  # some solutions build on it

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(__file__).parents[1] / "solutions" / "hw1" / "corpus"
RUBRIC = tomllib.loads((ROOT / "solutions" / "hw1" / "grading" / "rubric.toml").read_text(encoding="utf-8"))
LABELS = tomllib.loads((CORPUS / "labels.toml").read_text(encoding="utf-8"))
MODULES: dict[str, str] = RUBRIC["stubs"]
LEAST_WRONG = dict.fromkeys(MODULES, 20) | {"pgd_attack": 10}
LEAST_RIGHT = 8
LEAST_TWINS = dict.fromkeys(MODULES, 8) | {"pgd_attack": 4}
SEEDS = (0, 1, 2)

Behaviour = dict[str, Tensor | str]
"""What a solution does: for each thing observed the tensor that came, or the name of the exception."""


def paths(kind: str) -> list[Any]:
    return [
        pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in sorted((CORPUS / kind).glob("*/*.py"))
    ]


def load(path: Path, name: str) -> Any:
    """The object ``name`` of the file, imported as a module of its own (scripted functions need one)."""
    spec = importlib.util.spec_from_file_location(f"{path.parts[-3]}_{path.parent.name}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@cache
def reference(stub: str) -> Any:
    return load(ROOT / "solutions" / "hw1" / f"{MODULES[stub]}.py", stub)


def answers(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of an answer, each with a name."""
    parts = value if isinstance(value, (tuple, list)) else [value]
    yield from ((str(i), part) for i, part in enumerate(parts))


def observe(behaviour: Behaviour, name: str, call: Callable[[], Any]) -> None:
    """Adds what ``call()`` gives, tensor by tensor, or what it raises."""
    try:
        for part, value in answers(call()):
            behaviour[f"{name}.{part}"] = value.detach().clone() if isinstance(value, Tensor) else repr(type(value))
    except Exception as problem:
        behaviour[name] = type(problem).__name__


def gradients(function: Callable[..., Any], *inputs: Tensor) -> list[Tensor]:
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    value = function(*leaves)
    assert value.numel() == 1
    if not value.requires_grad:  # a constant: its gradient is zero
        return [torch.zeros_like(leaf) for leaf in leaves]
    return list(torch.autograd.grad(value.sum(), leaves, allow_unused=True, materialize_grads=True))


def untouched(call: Callable[..., Any], *inputs: Any) -> list[Tensor]:
    """Which inputs a call left as they were, and whether its result is none of them."""
    before = [x.clone() if isinstance(x, Tensor) else x for x in inputs]
    result = call(*inputs)
    same = [
        not isinstance(x, Tensor) or (x.shape == old.shape and torch.equal(x, old))
        for x, old in zip(inputs, before, strict=True)
    ]
    return [torch.tensor(same), torch.tensor(all(result is not x for x in inputs))]


def smoothing(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}

    def look(arguments: list[float], logits: Tensor, target: Tensor) -> None:
        case = f"epsilon {arguments}, {tuple(logits.shape)}, up to {logits.max():g}"
        observe(seen, case, lambda: stub(*arguments)(logits.clone(), target.clone()))
        observe(seen, f"{case}, gradient", lambda: gradients(lambda x: stub(*arguments)(x, target.clone()), logits))
        observe(seen, f"{case}, inputs", lambda: untouched(stub(*arguments), logits.clone(), target.clone()))

    for epsilon, n, k, scale in [
        (0.25, 8, 10, 3.0), (None, 4, 12, 1.0), (0.0, 5, 7, 2.0), (0.1, 1, 3, 2.0), (0.4, 16, 2, 3.0),
        (1.0, 6, 10, 3.0), (0.6, 7, 101, 1.0), (0.25, 8, 10, 1e4),
    ]:  # fmt: skip
        logits = torch.randn(n, k, generator=random) * scale
        logits[0] -= 3 * scale  # a row far below the others
        look([] if epsilon is None else [epsilon], logits, torch.randint(k, (n,), generator=random))
    return seen


def similarity(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}

    def look(name: str, label: Tensor, raw: Tensor) -> None:
        weight = torch.randn(len(label) ** 2, generator=random)

        # Only the gradient along the sphere is fixed by the contract, since features have length 1.
        def weighted(x: Tensor) -> Tensor:
            sp, sn = stub(F.normalize(x, dim=1), label)
            total: Tensor = (sp * weight[: len(sp)]).sum() + (sn * weight[len(weight) - len(sn) :]).sum()
            return total

        observe(seen, name, lambda: stub(F.normalize(raw, dim=1), label))
        observe(seen, f"{name}, gradient", lambda: gradients(weighted, raw))

    drawn = torch.randint(3, (9,), generator=random).tolist()
    for name, labels, dtype in [
        ("drawn", [0, 1, 0, 1, *drawn], torch.int64), ("one class", [3] * 5, torch.int64),
        ("all different", [4, 0, 9, 2, 7], torch.int64), ("one image", [5], torch.int64),
        ("same two", [1, 1], torch.int64), ("different two", [2, 7], torch.int64),
        ("a class of one", [0, 0, 1, 0, 6], torch.int64), ("any numbers", [-7, 1000003, -7, 1000003, 5], torch.int64),
        ("beyond nine", [40, 3, 40, 12], torch.int64),
        ("int32", [2, 0, 2, 1, 0], torch.int32), ("uint8", [200, 0, 200, 255, 0], torch.uint8),
    ]:  # fmt: skip
        label = torch.tensor(labels, dtype=dtype)
        look(name, label, torch.randn(len(label), 7, generator=random))
    observe(seen, "orthogonal", lambda: stub(torch.eye(5), torch.tensor([0, 0, 1, 1, 0])))
    return seen


def circle(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}

    def look(m: float, gamma: float, sp: Tensor, sn: Tensor) -> None:
        case = f"m {m}, gamma {gamma}, {len(sp)} and {len(sn)}"
        observe(seen, case, lambda: stub(m, gamma)(sp, sn))
        observe(seen, f"{case}, gradient", lambda: gradients(stub(m, gamma), sp, sn))

    def look_at_empty(sp: Tensor, sn: Tensor) -> None:
        # Only that it is finite is asked here, so that is all that is seen.
        case = f"{len(sp)} and {len(sn)}"
        observe(seen, case, lambda: stub(0.25, 4.0)(sp, sn).isfinite())
        observe(seen, f"{case}, gradient", lambda: [g.isfinite() for g in gradients(stub(0.25, 4.0), sp, sn)])

    for m, gamma, p, n in [
        (0.25, 4.0, 12, 30), (0.4, 2.0, 5, 7), (0.0, 3.0, 6, 6), (0.1, 0.5, 1, 9), (0.25, 64.0, 12, 30),
        (0.25, 1024.0, 12, 30),
    ]:  # fmt: skip
        look(m, gamma, torch.rand(p, generator=random) * 2 - 1, torch.rand(n, generator=random) * 2 - 1)
    look(0.4, 8.0, 1 - 0.05 * torch.rand(4, generator=random), -0.5 - 0.5 * torch.rand(4, generator=random))
    # Where the softplus bends.
    look(0.25, 1.0, 0.5 + 0.5 * torch.rand(1, generator=random), 0.2 * torch.rand(1, generator=random))
    for p, n in [(0, 5), (5, 0), (0, 0)]:
        look_at_empty(torch.rand(p, generator=random), torch.rand(n, generator=random))
    return seen


def fgsm(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}

    def look(epsilon: float, image: Tensor, grad: Tensor) -> None:
        observe(seen, f"{epsilon}", lambda: stub(image.clone(), epsilon, grad.clone()))
        # At epsilon 0 the image itself is a right answer.
        observe(seen, f"{epsilon}, inputs", lambda: untouched(stub, image.clone(), epsilon or 0.1, grad.clone()))

    look(0.1, 0.3 + 0.4 * torch.rand(2, 3, 6, 6, generator=random), torch.randn(2, 3, 6, 6, generator=random))
    for epsilon in (0.0, 1 / 255, 0.2, 0.5, 2.0):
        image = torch.rand(2, 3, 6, 6, generator=random)
        image[:, :, 0], image[:, :, 1] = 0.0, 1.0
        exponent = torch.rand(2, 3, 6, 6, generator=random) * 8 - 6
        grad = torch.randn(2, 3, 6, 6, generator=random) * 10**exponent
        grad[:, :, :, 0], grad[:, :, :, 1] = 0.0, -0.0
        look(epsilon, image, grad)
    return seen


def pgd(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}
    slope = torch.randn(2, 3, 6, 6, generator=random)
    slope[:, :, 3] = 0.0
    phase = torch.rand(2, 3, 6, 6, generator=random) * 6

    def waves(x: Tensor) -> Tensor:
        """A gradient that changes its sign within the ball, and hangs on the neighbour's pixel as well."""
        return torch.sin(30 * x + 50 * x.roll(1, dims=3) + phase)

    def look(image: Tensor, steps: int, alpha: float) -> None:
        observe(seen, f"{steps} steps, waves", lambda: stub(image.clone(), 0.1, alpha, steps, waves))
        observe(seen, f"{steps} steps, slope", lambda: stub(image.clone(), 0.1, alpha, steps, lambda x: slope))
        x = image.clone()
        observe(seen, f"{steps} steps, inputs", lambda: untouched(lambda x: stub(x, 0.1, alpha, steps, waves), x)[0])

    for steps, alpha in [(0, 0.03), (1, 0.03), (3, 0.03), (10, 0.02), (7, 0.15)]:
        image = torch.rand(2, 3, 6, 6, generator=random)
        image[:, :, 0], image[:, :, 1] = 0.0, 1.0
        look(image, steps, alpha)
    return seen


def weights(shapes: dict[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    """Weights for the layout: activations keep their size, and no two channels are alike."""
    drawn = {}
    for name, like in sorted(shapes.items()):
        if name.endswith("num_batches_tracked"):
            drawn[name] = torch.tensor(0)
        elif like.dim() > 1:
            drawn[name] = torch.randn(like.shape, generator=random) * (2 / like[0].numel()) ** 0.5
        elif name.endswith(("running_var", ".weight")):
            drawn[name] = 0.5 + torch.rand(like.shape, generator=random)
        else:
            drawn[name] = 0.2 * torch.randn(like.shape, generator=random)
    return drawn


def resnet(stub: Any, random: torch.Generator) -> Behaviour:
    seen: Behaviour = {}

    def build(state: dict[str, Tensor], *arguments: Any, **options: Any) -> Any:
        model = stub(*arguments, **options)
        model.load_state_dict(state)
        return model.eval()

    def layout(**options: Any) -> list[Tensor]:
        model = stub(**options)
        entries = sorted(f"{name} {tuple(x.shape)} {x.dtype}" for name, x in model.state_dict().items())
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        return [torch.tensor(list("\n".join(entries).encode())), torch.tensor(trainable)]

    def train(state: dict[str, Tensor], x: Tensor) -> list[Tensor]:
        model = build(state, width=8).train()
        leaf = x.clone().requires_grad_()
        # Weighed image by image: norms in training make the sum over a batch a constant.
        (model(leaf) * torch.linspace(-1, 1, 40).view(4, 10)).sum().backward()
        after = model.state_dict()
        buffers = [after[name] for name in sorted(after) if name.endswith(("mean", "var", "tracked"))]
        # Gradients by size: a network may call its parameters what it likes as long as state_dict() does not.
        slopes = sorted(float(p.grad.norm()) if p.grad is not None else -1 for p in model.parameters())
        connected = torch.tensor(model.features(leaf).requires_grad)
        return [leaf.grad, torch.tensor(slopes), *buffers, connected, model.eval()(x), model(x)]

    def look(x: Tensor) -> None:
        observe(seen, f"logits {tuple(x.shape)}", lambda: build(state, width=8)(x))
        observe(seen, f"features {tuple(x.shape)}", lambda: build(state, width=8).features(x))

    observe(seen, "layout", layout)
    observe(seen, "layout, no norm", lambda: layout(batch_norm=False, width=8))
    observe(seen, "layout, options", lambda: layout(num_classes=3, in_channels=1, width=12))
    state = weights(reference("ResNet18")(width=8).state_dict(), random)
    for shape in ((2, 3, 32, 32), (1, 3, 64, 64), (2, 3, 40, 56)):
        look(torch.rand(shape, generator=random))
    look(torch.randn(3, 3, 36, 36, generator=random) * 3)  # no layer may bound what it is given
    x = torch.rand(4, 3, 48, 48, generator=random)
    observe(seen, "training", lambda: train(state, x))
    grey = torch.rand(2, 1, 40, 40, generator=random)
    bare = weights(reference("ResNet18")(3, 1, 8, False).state_dict(), random)
    observe(seen, "positional, no norm", lambda: build(bare, 3, 1, 8, False)(grey))
    return seen


OBSERVERS: dict[str, Callable[[Any, torch.Generator], Behaviour]] = {
    "ResNet18": resnet,
    "LabelSmoothingCrossEntropy": smoothing,
    "convert_label_to_similarity": similarity,
    "CircleLoss": circle,
    "fgsm_attack": fgsm,
    "pgd_attack": pgd,
}


def behaviour(stub: str, solution: Any, seed: int) -> Behaviour:
    torch.manual_seed(seed)
    return OBSERVERS[stub](solution, torch.Generator().manual_seed(seed))


@cache
def behaviour_of(path: Path, stub: str, seed: int) -> Behaviour:
    return behaviour(stub, load(path, stub), seed)


@cache
def reference_behaviour(stub: str, seed: int) -> Behaviour:
    return behaviour(stub, reference(stub), seed)


def alike(a: Tensor | str | None, b: Tensor | str | None) -> bool:
    """Whether two observations differ by no more than rounding."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return type(a) is type(b) and a == b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if not a.is_floating_point():
        return torch.equal(a, b)
    # Sums of up to some thousand float32 terms, relative to the largest value.
    largest = max(1e-6, float(b.nan_to_num(0, 0, 0).abs().max())) if b.numel() else 0.0
    return torch.allclose(a, b, rtol=0, atol=2e-4 * largest, equal_nan=True)


def differences(got: Behaviour, want: Behaviour) -> Iterator[str]:
    """The names of what differs."""
    return (name for name in sorted(got.keys() | want.keys()) if not alike(got.get(name), want.get(name)))


@pytest.mark.parametrize("path", paths("right"))
def test_right_solutions_behave_as_the_reference(path: Path) -> None:
    stub = path.parent.name
    for seed in SEEDS:
        assert list(differences(behaviour_of(path, stub, seed), reference_behaviour(stub, seed))) == []


@pytest.mark.parametrize("path", paths("wrong"))
def test_wrong_solutions_break_the_contract(path: Path) -> None:
    stub = path.parent.name
    assert any(differences(behaviour_of(path, stub, 0), reference_behaviour(stub, 0)))


@pytest.mark.parametrize("stub", MODULES)
def test_the_reference_is_seen_to_be_finite(stub: str) -> None:
    seen = reference_behaviour(stub, 0)
    assert seen and all(isinstance(value, Tensor) and value.isfinite().all() for value in seen.values())


@pytest.mark.parametrize("path", paths("twins"))
def test_twins_behave_as_their_originals(path: Path) -> None:
    """A twin is the misconception of the same name in other hands: what is told of one must be true of the other."""
    stub = path.parent.name
    original = CORPUS / "wrong" / stub / path.name
    for seed in SEEDS:
        assert list(differences(behaviour_of(path, stub, seed), behaviour_of(original, stub, seed))) == []


def shape_of_code(path: Path) -> list[str]:
    """The kinds of the syntax tree's nodes, level by level: what stays when everything is renamed."""
    return [type(node).__name__ for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("path", paths("twins"))
def test_twins_are_no_copies(path: Path) -> None:
    original = CORPUS / "wrong" / path.parent.name / path.name
    matcher = SequenceMatcher(None, shape_of_code(path), shape_of_code(original), autojunk=False)
    assert matcher.ratio() < 0.8  # a copy with other names has 1


@pytest.mark.parametrize("stub", MODULES)
def test_what_behaves_alike_is_diagnosed_alike(stub: str) -> None:
    """Two misconceptions that no input tells apart must not be told apart to the student."""
    seen = {name: behaviour_of(CORPUS / "wrong" / stub / f"{name}.py", stub, 0) for name in LABELS[stub]}
    told_apart = [
        (one, other)
        for one, other in combinations(seen, 2)
        if LABELS[stub][one]["diagnosis"] != LABELS[stub][other]["diagnosis"]
        and not any(differences(seen[one], seen[other]))
    ]
    assert told_apart == []


def test_every_wrong_solution_has_a_label_and_every_label_a_solution() -> None:
    assert {(stub, name) for stub, entries in LABELS.items() for name in entries} == {
        (path.parent.name, path.stem) for path in (CORPUS / "wrong").glob("*/*.py")
    }


@pytest.mark.parametrize("stub", MODULES)
def test_labels_name_every_criterion_once(stub: str) -> None:
    unit = [c["id"] for c in RUBRIC["criteria"] if c["stub"] == stub and c.get("kind", "unit") == "unit"]
    for name, label in LABELS[stub].items():
        assert set(label) == {"fails", "passes", "diagnosis"}, name
        assert label["fails"], name
        assert sorted(label["fails"] + label["passes"]) == sorted(unit), name


@pytest.mark.parametrize("stub", MODULES)
def test_diagnoses_are_sentences_in_both_languages(stub: str) -> None:
    for name, label in LABELS[stub].items():
        en, fa = label["diagnosis"]["en"], label["diagnosis"]["fa"]
        assert set(label["diagnosis"]) == {"en", "fa"}
        assert en[0].isupper() and en.endswith((".", "?")) and not re.search("[\u0600-\u06ff]", en), name
        assert re.search("[\u0600-\u06ff]", fa) and fa.endswith((".", "؟")) and not re.search("[يك٤٥٦]", fa), name
        assert max(len(en), len(fa)) <= 240, name


@pytest.mark.parametrize("stub", MODULES)
def test_the_corpus_is_large_enough(stub: str) -> None:
    assert len(list((CORPUS / "wrong" / stub).glob("*.py"))) >= LEAST_WRONG[stub]
    assert len(list((CORPUS / "right" / stub).glob("*.py"))) >= LEAST_RIGHT
    assert len(list((CORPUS / "twins" / stub).glob("*.py"))) >= LEAST_TWINS[stub]


@pytest.mark.parametrize("path", paths("wrong") + paths("right") + paths("twins"))
def test_entries_say_what_they_are(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith('"""') and first.endswith('."""') and len(first) > 20
