"""The training loop: what it hands the stubs, what it gives back, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn

from autograder.assignment import Assignment


@pytest.fixture(scope="module")
def training() -> ModuleType:
    from autograder.assignment import load

    return load().module("training")


@pytest.fixture
def parts(assignment: Assignment) -> dict[str, Any]:
    return {name: getattr(assignment.reference, name) for name in assignment.stubs}


@pytest.fixture
def shorter(training: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Changes a row of the registry for one test."""

    def change(experiment: str, **changes: Any) -> None:
        monkeypatch.setitem(training.EXPERIMENTS, experiment, replace(training.EXPERIMENTS[experiment], **changes))

    return change


def coloured(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images whose class is their brightness, with noise: learnt in seconds."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 10
    pixels = 20 + 22 * labels[:, None, None, None] + torch.randint(-8, 9, (count, 3, 32, 32), generator=generator)
    return pixels.clamp(0, 255).to(torch.uint8), labels


def test_it_learns_and_gives_back_weights_that_load(training: ModuleType, parts: dict[str, Any]) -> None:
    trained = training.train("base", "quick", *coloured(1200), parts, seed=3)
    model = training.new_model("base", "quick", parts)
    model.load_state_dict(trained["state"], strict=True)
    pixels, labels = coloured(200, seed=1)
    predicted = training.logits(model.eval(), training.to_float(pixels)).argmax(1)
    assert (predicted == labels).double().mean() > 0.9
    epochs = training.EXPERIMENTS["base"].epochs["quick"]
    assert trained["epochs"] == epochs
    assert {name: len(curve) for name, curve in trained["curves"].items()} == dict.fromkeys(
        ("train_loss", "val_loss", "val_accuracy"), epochs
    )
    assert trained["curves"]["train_loss"][-1] < trained["curves"]["train_loss"][0]


def test_the_seed_decides_the_weights(training: ModuleType, parts: dict[str, Any]) -> None:
    data = coloured(100)
    first, again, other = (training.train("adam", "quick", *data, parts, seed=seed)["state"] for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_the_callers_generator_and_threads_are_left_alone(training: ModuleType, parts: dict[str, Any]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    torch.set_num_threads(2)
    try:
        training.train("base", "quick", *coloured(100), parts, seed=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(torch.rand(3), expected)


def test_progress_rises_to_one(training: ModuleType, parts: dict[str, Any]) -> None:
    seen: list[float] = []
    training.train("base", "quick", *coloured(200), parts, seed=1, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert 0 < seen[0] < 0.5


def test_the_model_is_asked_for_as_the_experiment_says(training: ModuleType, parts: dict[str, Any]) -> None:
    state = training.train("no_batch_norm", "quick", *coloured(100), parts, seed=1)["state"]
    assert "conv1.bias" in state
    assert "bn1.weight" not in state
    assert state["conv1.weight"].shape[0] == training.PROFILES["quick"].width


def test_without_normalisation_the_signal_stays_as_strong_as_it_was(
    training: ModuleType, parts: dict[str, Any]
) -> None:
    def strengths(change: bool) -> list[float]:
        torch.manual_seed(0)
        model = parts["ResNet18"](width=16, batch_norm=False)
        before = model.fc.weight.clone()
        if change:
            training.residual_weights(model)
        assert torch.equal(model.fc.weight, before)
        seen: list[float] = []
        for stage in (model.maxpool, model.layer1, model.layer2, model.layer3, model.layer4):
            stage.register_forward_hook(lambda module, given, made: seen.append(made.square().mean().item()))
        with torch.no_grad():
            model(training.normalise(torch.rand(32, 3, 32, 32)))
        return seen

    own, ours = strengths(False), strengths(True)
    assert own[-1] < own[0] / 10  # torch's own weights let it die out
    assert all(0.3 < stage / ours[0] < 3 for stage in ours)


def test_the_students_loss_is_what_is_minimised(training: ModuleType, parts: dict[str, Any]) -> None:
    calls: list[tuple[int, ...]] = []

    class Loss(nn.Module):
        def __init__(self, epsilon: float) -> None:
            super().__init__()
            assert epsilon == 0.25

        def forward(self, logits: Tensor, target: Tensor) -> Tensor:
            calls.append((*logits.shape, *target.shape))
            return logits.square().mean()  # whoever minimises this learns nothing of the classes

    trained = training.train(
        "label_smoothing", "quick", *coloured(400), parts | {"LabelSmoothingCrossEntropy": Loss}, seed=1
    )
    batch = training.PROFILES["quick"].batch_size
    assert (batch, 10, batch) in calls
    assert trained["curves"]["train_loss"][-1] < 0.02
    assert trained["curves"]["val_accuracy"][-1] < 0.6


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda logits, target: logits.sum() * float("nan"), "nan"),
        (lambda logits, target: logits.sum() + float("inf"), "inf"),
        (lambda logits, target: logits.sum(1), "single number"),
        (lambda logits, target: 1.0, "a float"),
        (lambda logits, target: logits.sum().detach(), "no gradient"),
    ],
)
def test_a_loss_that_is_none_ends_the_training(
    training: ModuleType, parts: dict[str, Any], answer: Callable[..., Any], says: str
) -> None:
    wrong = parts | {"LabelSmoothingCrossEntropy": lambda epsilon: answer}
    with pytest.raises(training.TrainingFailed, match=says):
        training.train("label_smoothing", "quick", *coloured(100), wrong, seed=1)


def test_what_a_stub_raises_reaches_the_caller(training: ModuleType, parts: dict[str, Any]) -> None:
    def blank(feature: Tensor, label: Tensor) -> None:
        raise NotImplementedError("convert_label_to_similarity")

    with pytest.raises(NotImplementedError, match="convert_label_to_similarity"):
        training.train("circle", "quick", *coloured(100), parts | {"convert_label_to_similarity": blank}, seed=1)


@pytest.fixture
def first(training: ModuleType, parts: dict[str, Any]) -> dict[str, Tensor]:
    torch.manual_seed(7)
    state: dict[str, Tensor] = training.new_model("reverse", "quick", parts).state_dict()
    return state


def test_only_the_classifier_moves_where_only_it_is_tuned(
    training: ModuleType, parts: dict[str, Any], first: dict[str, Tensor]
) -> None:
    before = {name: value.clone() for name, value in first.items()}
    state = training.train("reverse_finetuned", "quick", *coloured(100), parts, seed=1, first=first)["state"]
    moved = {name for name in state if not torch.equal(state[name], before[name])}
    assert moved == {"fc.weight", "fc.bias"}
    assert all(torch.equal(first[name], value) for name, value in before.items())


def test_weights_to_begin_with_are_begun_with(
    training: ModuleType, parts: dict[str, Any], first: dict[str, Tensor], shorter: Callable[..., None]
) -> None:
    shorter("pretrained", epochs={"quick": 1}, lr={"quick": 0.0})
    body = {name: value for name, value in first.items() if not name.startswith("fc.")}
    state = training.train("pretrained", "quick", *coloured(100), parts, seed=1, first=body)["state"]
    assert torch.equal(state["layer4.1.conv2.weight"], first["layer4.1.conv2.weight"])
    assert not torch.equal(state["fc.weight"], first["fc.weight"])  # a new one


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda first: first.pop("layer1.0.conv1.weight"), "layer1.0.conv1.weight"),
        (lambda first: first.update(extra=torch.zeros(1)), "extra"),
        (lambda first: first.update({"conv1.weight": torch.zeros(1)}), "conv1.weight"),
    ],
    ids=["missing", "extra", "shape"],
)
def test_first_weights_must_fit(
    training: ModuleType,
    parts: dict[str, Any],
    first: dict[str, Tensor],
    spoil: Callable[[dict[str, Tensor]], None],
    says: str,
) -> None:
    spoil(first)
    with pytest.raises(training.TrainingFailed, match=says):
        training.train("pretrained", "quick", *coloured(100), parts, seed=1, first=first)


def test_first_weights_are_asked_for_and_only_where_the_row_has_them(
    training: ModuleType, parts: dict[str, Any], first: dict[str, Tensor]
) -> None:
    with pytest.raises(ValueError, match="pretrained begins with standard"):
        training.train("pretrained", "quick", *coloured(100), parts, seed=1)
    with pytest.raises(ValueError, match="base begins with random weights"):
        training.train("base", "quick", *coloured(100), parts, seed=1, first=first)


def test_a_model_that_is_no_module_is_refused(training: ModuleType, parts: dict[str, Any]) -> None:
    with pytest.raises(training.TrainingFailed, match="which is no"):
        training.train("base", "quick", *coloured(100), {"ResNet18": dict}, seed=1)


def test_about_half_of_the_batches_are_attacked_in_pixel_units(
    training: ModuleType, parts: dict[str, Any], shorter: Callable[..., None]
) -> None:
    shorter("adversarial", epochs={"quick": 2})
    calls: list[float] = []

    def attack(image: Tensor, epsilon: float, grad: Tensor) -> Tensor:
        assert image.min() >= 0
        assert image.max() <= 1
        assert grad.shape == image.shape
        assert grad.abs().max() > 0
        calls.append(epsilon)
        return (image + epsilon * grad.sign()).clamp(0, 1)

    pixels, labels = coloured(1200)
    training.train("adversarial", "quick", pixels, labels, parts | {"fgsm_attack": attack}, seed=1)
    batches = 2 * (round(0.8 * len(labels)) // training.PROFILES["quick"].batch_size)
    assert set(calls) == {0.1}
    assert 0.25 < len(calls) / batches < 0.75


def test_an_attack_of_another_shape_ends_the_training(training: ModuleType, parts: dict[str, Any]) -> None:
    wrong = parts | {"fgsm_attack": lambda image, epsilon, grad: image[:1]}
    with pytest.raises(training.TrainingFailed, match="fgsm_attack gave back a tensor of shape"):
        training.train("adversarial", "quick", *coloured(400), wrong, seed=1)


def test_batches_of_pairs_hold_all_classes_equally(
    training: ModuleType, parts: dict[str, Any], shorter: Callable[..., None]
) -> None:
    shorter("circle", epochs={"quick": 1})
    original = parts["convert_label_to_similarity"]
    counts = []

    def convert(feature: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        assert torch.allclose(feature.norm(dim=1), torch.ones(len(feature)), atol=1e-5)
        if torch.is_grad_enabled():
            counts.append(label.bincount(minlength=10))
        pair: tuple[Tensor, Tensor] = original(feature, label)
        return pair

    training.train("circle", "quick", *coloured(400), parts | {"convert_label_to_similarity": convert}, seed=1)
    # The last batches may run out of a class whose images went to the validation part; the first cannot.
    assert len(counts) > 4
    assert all(batch.max() - batch.min() <= 2 for batch in counts[:4])


def test_early_stopping_waits_for_as_long_as_it_says(
    training: ModuleType, parts: dict[str, Any], shorter: Callable[..., None]
) -> None:
    shorter("standard", epochs={"quick": 40})
    pixels, _ = coloured(200)
    labels = torch.randint(0, 10, (200,), generator=torch.Generator().manual_seed(0))  # nothing to learn
    curves = training.train("standard", "quick", pixels, labels, parts, seed=1)["curves"]
    losses = curves["val_loss"]
    assert len(losses) < 40
    assert len(losses) == losses.index(min(losses)) + 1 + training.PATIENCE


def test_augmentation_moves_images_a_little(training: ModuleType) -> None:
    images = torch.zeros(64, 3, 32, 32)
    images[:, :, 14:18, 14:18] = 1
    moved = training.augmented(images, torch.Generator().manual_seed(1))
    assert moved.shape == images.shape
    assert moved.min() >= 0
    assert moved.max() <= 1 + 1e-6
    axis = torch.arange(32.0)
    mass = moved[:, 0].sum((1, 2))
    shift_x = (moved[:, 0].sum(1) * axis).sum(1) / mass - 15.5
    shift_y = (moved[:, 0].sum(2) * axis).sum(1) / mass - 15.5
    for shift in (shift_x, shift_y):
        assert 1.2 < shift.abs().max() < 2.0  # 5 % of 32 pixels are 1.6
        assert shift.abs().mean() > 0.5
    assert 0.85 < mass.min() / 16 < 0.95
    assert 1.05 < mass.max() / 16 < 1.16  # the square of 0.95 to 1.05


def test_neighbours_vote_agrees_with_scikit_learn(training: ModuleType) -> None:
    generator = torch.Generator().manual_seed(0)
    gallery, queries = (
        nn.functional.normalize(torch.randn(n, 8, generator=generator, dtype=torch.float64), dim=1)
        for n in (300, 1500)
    )
    labels = (gallery[:, 0] > 0).long() + 2 * (gallery[:, 1] > 0).long()
    # With an odd number of neighbours and two of four classes in reach ties are rare; where votes are tied
    # scikit-learn takes the smaller label and we the more similar one, so ties are left out.
    theirs = KNeighborsClassifier(5).fit(gallery.numpy(), labels.numpy())
    shares = torch.from_numpy(theirs.predict_proba(queries.numpy())).sort(dim=1, descending=True).values
    clear = shares[:, 0] > shares[:, 1]
    ours = training.neighbours_vote(gallery, labels, queries)
    assert clear.double().mean() > 0.8
    assert torch.equal(ours[clear], torch.from_numpy(theirs.predict(queries.numpy()))[clear])


def test_a_tied_vote_goes_to_the_more_similar(training: ModuleType) -> None:
    angle = torch.tensor([0.1, 0.2, 0.3, 0.4])
    gallery = torch.stack([angle.cos(), angle.sin()], dim=1)
    query = torch.tensor([[1.0, 0.0]])
    assert training.neighbours_vote(gallery, torch.tensor([7, 7, 2, 2]), query).tolist() == [7]
    assert training.neighbours_vote(gallery, torch.tensor([2, 2, 7, 7]), query).tolist() == [2]
