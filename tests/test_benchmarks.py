"""The benchmarks that train: run in small, and what they print held against what is stored and what is written."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autograder.assignment import ROOT, Assignment

FOLDER = ROOT / "benchmarks"

SMALL = [
    *("--width", "4", "--batch", "16", "--images", "100", "--tests", "20", "--seconds", "0.05"),
    *("--matrix", "64", "--workers", "0", "--device", "cpu"),
]


def test_the_full_profile_is_measured_beside_a_plain_loop_and_its_floor() -> None:
    rows = ["base", "reverse_finetuned", "adversarial", "circle"]
    command = [
        sys.executable,
        str(FOLDER / "full_profile.py"),
        *SMALL,
        "--rows",
        *rows,
        "--plain",
        "base",
        "adversarial",
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    head, table, total = run.stdout.split("\n\n")
    floors = [number(line.split(": ")[1]) for line in head.splitlines() if line.startswith("floor by")]
    assert len(floors) == 3
    assert number(head.rpartition("floor: ")[2]) == min(floors)
    lines = {line.split()[0]: line.split()[1:] for line in table.splitlines()[1:]}
    assert list(lines) == rows
    for row, cells in lines.items():
        kit, *beside, fitting, measuring = map(number, cells)
        assert min(kit, fitting, measuring) > 0
        assert len(beside) == (2 if row in ("base", "adversarial") else 0)
        if beside:
            assert beside[1] == pytest.approx(kit / beside[0], rel=0.05)
    assert number(total.rpartition(": ")[2]) == pytest.approx(
        sum(number(cells[-1]) + number(cells[-2]) for cells in lines.values()), abs=1
    )


def number(text: str) -> float:
    found = re.match(r"[\d,.e+]+", text)
    assert found, text
    return float(found[0].replace(",", ""))


def benchmark(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # for its dataclasses
    spec.loader.exec_module(module)
    return module


def test_the_work_of_a_step_is_counted_right() -> None:
    counted = benchmark("full_profile").work_of_a_step(width=8, batch=4)
    # A convolution with c channels in, d out, k x k taps and s x s places has c d k^2 s^2 multiply-adds, and as many
    # again for each of its two gradients; the first layer's images need none. He et al. 2016, table 1, at 32 x 32.
    stages = [(8, 8), (16, 4), (32, 2), (64, 1)]
    convolutions = [(3, 8, 7, 16)]
    for i, (channels, side) in enumerate(stages):
        before = channels if i == 0 else channels // 2
        convolutions += [(before, channels, 3, side), *[(channels, channels, 3, side)] * 3]
        convolutions += [] if i == 0 else [(before, channels, 1, side)]
    forward = [2 * c * d * k**2 * s**2 for c, d, k, s in convolutions] + [2 * 64 * 10]
    assert counted.flops == 3 * sum(forward) - forward[0]
    assert counted.bytes > 4 * 11_000_000 / 64  # weights alone, of which there are as many as at width 64, over 64
    assert counted.operations > 60


@pytest.fixture(scope="module")
def mistakes(assignment: Assignment) -> ModuleType:
    module: ModuleType = benchmark("fgsm_mistakes")
    return module


@pytest.fixture(scope="module")
def networks(assignment: Assignment) -> list[nn.Module]:
    """Two small ones of one layout, with statistics of their own."""
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = assignment.reference.ResNet18(width=4)
        with torch.no_grad():
            network.train()(torch.randn(64, 3, 32, 32))
        made.append(network.eval().requires_grad_(False))
    return made


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    return torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8), torch.arange(24) % 10


IN_PIXELS = (
    *("right", "gradient_train_mode", "other_images", "one_gradient", "flipped", "other_seed", "untrained"),
    *("labels_shuffled", "labels_predicted", "minus", "random_sign", "uniform", "by_largest", "every_second"),
)
"""Variants that go as far as they should, in whatever direction."""


def test_each_variant_makes_images_and_leaves_the_network_alone(
    mistakes: ModuleType, networks: list[nn.Module], pictures: tuple[Tensor, Tensor]
) -> None:
    before = {name: value.clone() for name, value in networks[0].state_dict().items()}
    images = pictures[0].float() / 255
    made = {}
    for key, variant in mistakes.VARIANTS.items():
        batch = mistakes.Batch(*networks, images.clone(), pictures[1], torch.Generator().manual_seed(0))
        made[key] = variant.attack(batch)
        assert made[key].shape == images.shape, key
        assert made[key].isfinite().all(), key
        assert torch.equal(batch.images, images), key
        if key != "no_clamp":
            assert made[key].min() >= -1e-6, key
            assert made[key].max() <= 1 + 1e-6, key
    assert all(torch.equal(value, before[name]) for name, value in networks[0].state_dict().items())
    changes = {key: (value - images).abs().amax().item() for key, value in made.items()}
    for key in IN_PIXELS:
        assert changes[key] == pytest.approx(0.1, abs=1e-3), key
    assert changes["lost"] == 0
    assert changes["normalised_span"] == pytest.approx(0.05, abs=1e-6)
    assert changes["over_255"] == pytest.approx(0.1 / 255, abs=1e-6)
    assert changes["clamp_span"] == pytest.approx(0.5, abs=1e-2)  # all that was darker than grey is grey
    assert torch.equal(made["png"], made["bytes"])
    assert not torch.equal(made["jpeg"], made["bytes"])
    assert torch.allclose(made["bytes"], made["right"], atol=0.5 / 255 + 1e-6)
    signs = mistakes.Batch(*networks, images, pictures[1], torch.Generator()).gradient().sign()
    outside = pictures[0] + 25 * signs
    far = (made["overflow"] - made["bytes"]).abs() > 0.5
    assert torch.equal(far, (outside < 0) | (outside > 255))


def test_a_right_attack_hurts_and_its_opposite_helps(
    mistakes: ModuleType, networks: list[nn.Module], pictures: tuple[Tensor, Tensor]
) -> None:
    def figures(key: str) -> tuple[float, float]:
        found: tuple[float, float] = mistakes.accuracies([key], *networks, *pictures)[key]
        return found

    clean, lost = figures("lost")
    assert clean == lost
    assert figures("right")[1] <= clean <= figures("minus")[1]
    assert figures("minus")[1] > figures("right")[1]


def test_a_store_that_holds_class_after_class_is_mixed(mistakes: ModuleType, assignment: Assignment) -> None:
    labels = np.arange(1000) // 100
    pixels = np.broadcast_to(labels.astype(np.uint8)[:, None, None, None], (1000, 3, 32, 32))
    images = assignment.module("datasets").Images("cifar10", pixels, labels)
    mixed, answers = mistakes.tensors(images)
    assert torch.equal(mixed[:, 0, 0, 0].long(), answers)
    assert torch.equal(answers.sort().values, torch.from_numpy(labels))
    assert len(answers[: mistakes.BATCH].unique()) > 5
    assert torch.equal(mistakes.tensors(images)[1], answers)


def test_the_table_is_the_one_that_is_written_down(mistakes: ModuleType) -> None:
    page = (ROOT / "docs" / "fgsm_mistakes.md").read_text(encoding="utf-8")
    for study in json.loads(mistakes.STORED.read_text()).values():
        assert set(study["figures"]) == set(mistakes.VARIANTS)
        assert mistakes.table(study) in page


@pytest.mark.slow
def test_the_study_runs_and_keeps_what_it_found(mistakes: ModuleType, tmp_path: Path) -> None:
    stored = tmp_path / "figures.json"
    command = [sys.executable, str(FOLDER / "fgsm_mistakes.py"), "--stored", str(stored)]
    small = ["--images", "80", "--tests", "20", "--seeds", "2"]
    run = subprocess.run([*command, *small], cwd=ROOT, capture_output=True, text=True, check=True)
    (kept,) = json.loads(stored.read_text()).values()
    assert (kept["data"], kept["images"], kept["tests"], kept["seeds"]) == ("objects10", 80, 20, 2)
    assert list(kept["figures"]) == sorted(mistakes.VARIANTS)
    again = subprocess.run([*command, "--table"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout == run.stdout == mistakes.table(kept) + "\n"
