"""Checks of `ResNet18`. Every comparison loads the same drawn weights into the submission and the reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from hw1.tests.expect import N_, Draw, Expected, has_shape, mistake

LOGITS, FEATURES = N_("The logits"), N_("The features")
LAYERS = 20  # convolutions and the last layer, one behind the other

LAYOUT = N_(
    "state_dict() must have torchvision's names and shapes (conv1, bn1, layer1.0.conv1, ..., layer2.0.downsample.0, "
    "..., fc), so that its weights load strictly. Look at the names of the attributes in resnet.py."
)
WIRING = N_(
    "The layers are there, but wired in another way than He et al. 2016: 7x7/2 stem, 3x3/2 max-pool, the stride in "
    "the first convolution of a stage, norm after every convolution, the shortcut added before the last "
    "ReLU of a block, global average pool. Look at forward() in resnet.py."
)
POOLED = N_(
    "features() gives what goes into fc: the global average of the last stage, (N, 8*width), without fc and without "
    "softmax. Look at features() in resnet.py."
)
TRAINING = N_(
    "In training mode batch norm uses the batch's own statistics and moves its running averages by 0.1; in eval mode "
    "it uses the averages. Leave BatchNorm2d's defaults, and do not call train() or eval() inside. Look at resnet.py."
)
TRAINABLE = N_(
    "Every parameter must receive a gradient: look in resnet.py for detach(), no_grad, requires_grad, or a layer "
    "that forward() does not use."
)
OPTIONS = N_(
    "num_classes, in_channels, width and batch_norm must be taken from the arguments in every layer; without batch "
    "norm there is no norm layer at all, and every convolution has a bias. Look at __init__ in resnet.py."
)


@dataclass(frozen=True)
class Options:
    """The arguments of ``ResNet18``; 8 channels keep a check fast and leave nothing out."""

    num_classes: int = 10
    in_channels: int = 3
    width: int = 8
    batch_norm: bool = True


PAPER = Options(width=64)


def layout(options: Options) -> dict[str, tuple[int, ...]]:
    """Name -> shape of everything in torchvision's ``resnet18().state_dict()``, at these options."""
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, norm: str, out: int, into: int, size: int) -> None:
        shapes[f"{name}.weight"] = (out, into, size, size)
        if options.batch_norm:
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{norm}.{part}"] = (out,)
            shapes[f"{norm}.num_batches_tracked"] = ()
        else:
            shapes[f"{name}.bias"] = (out,)

    convolution("conv1", "bn1", options.width, options.in_channels, 7)
    into = options.width
    for stage in range(1, 5):
        out = options.width * 2 ** (stage - 1)
        for block in range(2):
            name = f"layer{stage}.{block}"
            convolution(f"{name}.conv1", f"{name}.bn1", out, into, 3)
            convolution(f"{name}.conv2", f"{name}.bn2", out, out, 3)
            if into != out:
                convolution(f"{name}.downsample.0", f"{name}.downsample.1", out, into, 1)
            into = out
    shapes["fc.weight"], shapes["fc.bias"] = (options.num_classes, into), (options.num_classes,)
    return shapes


def draw_weights(draw: Draw, options: Options) -> dict[str, Tensor]:
    """Weights under which activations keep their size from layer to layer, and no two channels are alike."""
    weights = {}
    for name, shape in layout(options).items():
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.tensor(0)
        elif len(shape) > 1:
            fan_in = torch.Size(shape[1:]).numel()
            weights[name] = draw.normal(*shape, scale=(2 / fan_in) ** 0.5)
        elif name.endswith(("running_var", ".weight")):
            weights[name] = draw.uniform(*shape, low=0.5, high=1.5)
        else:
            weights[name] = draw.normal(*shape, scale=0.2)
    return weights


def build(stubs: Any, options: Options, weights: dict[str, Tensor]) -> Any:
    """The submission's network with these weights in it, in eval mode."""
    model = stubs.ResNet18(**asdict(options))
    require_layout(model, options)
    model.load_state_dict(weights)
    model.eval()
    return model


def require_layout(model: Any, options: Options) -> None:
    """Raises a `Mistake` that names the first missing, superfluous or misshapen entry of ``state_dict()``."""
    wanted = layout(options)
    got = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name, shape in wanted.items():
        if name not in got:
            raise mistake(N_("state_dict() lacks {name}."), LAYOUT, name=name)
        if got[name] != shape:
            raise mistake(
                N_("{name} in state_dict() must have the shape {want}, but has {got}."),
                LAYOUT,
                name=name,
                want=str(shape),
                got=str(got[name]),
            )
    for name in got:
        if name not in wanted:
            raise mistake(N_("state_dict() has {name}, which is not in torchvision's."), LAYOUT, name=name)


def terms(options: Options) -> int:
    """Length of the longest sum behind a logit, counted through all layers."""
    return LAYERS * 9 * 8 * options.width


@pytest.mark.criterion("resnet.layout")
@pytest.mark.parametrize(
    "options", [Options(), PAPER, Options(num_classes=1000, width=64)], ids=["narrow", "paper", "imagenet"]
)
def test_resnet_layout(submission: Any, options: Options) -> None:
    model = submission.ResNet18(**asdict(options))
    require_layout(model, options)
    parameters = dict(model.named_parameters())
    trainable = sum(parameter.numel() for parameter in parameters.values() if parameter.requires_grad)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    wanted = sum(torch.Size(shape).numel() for name, shape in layout(options).items() if not name.endswith(buffers))
    if trainable != wanted:
        raise mistake(
            N_("There must be {want} trainable parameters, but there are {got}."),
            LAYOUT,
            want=f"{wanted:,}",
            got=f"{trainable:,}",
        )


@pytest.mark.criterion("resnet.logits")
@pytest.mark.parametrize(
    "shape",
    [(2, 3, 32, 32), (1, 3, 64, 64), (2, 3, 40, 56), (1, 3, 97, 33)],
    ids=["32x32", "64x64", "40x56", "97x33"],
)
def test_resnet_logits(submission: Any, draw: Draw, expected: Expected, shape: tuple[int, ...]) -> None:
    options = Options()
    weights, x = draw_weights(draw, options), draw.uniform(*shape)

    def logits(stubs: Any) -> Any:
        return build(stubs, options, weights)(x)

    expected.close(submission, logits, LOGITS, terms=terms(options), hint=WIRING)


@pytest.mark.criterion("resnet.features")
@pytest.mark.parametrize("size", [32, 80])
def test_resnet_features(submission: Any, draw: Draw, expected: Expected, size: int) -> None:
    options = Options()
    weights, x = draw_weights(draw, options), draw.uniform(2, 3, size, size)

    def features(stubs: Any) -> Any:
        return build(stubs, options, weights).features(x)

    expected.close(submission, features, FEATURES, terms=terms(options), hint=POOLED)


@pytest.mark.criterion("resnet.training")
def test_resnet_batch_statistics(submission: Any, draw: Draw, expected: Expected) -> None:
    options = Options()
    weights, x = draw_weights(draw, options), draw.uniform(6, 3, 48, 48)

    def train_then_eval(stubs: Any) -> list[Any]:
        model = build(stubs, options, weights)
        model.train()
        training = model(x)
        state = model.state_dict()
        model.eval()
        return [training, state["bn1.running_mean"], state["layer4.1.bn2.running_var"], model(x)]

    expected.close(
        submission,
        train_then_eval,
        N_("The logits in training mode"),
        N_("bn1.running_mean after one batch"),
        N_("layer4.1.bn2.running_var after one batch"),
        N_("The logits in eval mode after one batch in training mode"),
        terms=terms(options),
        hint=TRAINING,
    )


@pytest.mark.criterion("resnet.training")
@pytest.mark.parametrize("batch_norm", [True, False], ids=["batch_norm", "no_batch_norm"])
def test_resnet_gradients(submission: Any, draw: Draw, expected: Expected, batch_norm: bool) -> None:
    options = Options(batch_norm=batch_norm)
    weights, x, weight = draw_weights(draw, options), draw.uniform(4, 3, 40, 40), draw.normal(4, 10)
    watched = ["conv1.weight", "layer2.0.downsample.0.weight", "layer1.1.conv2.weight", "fc.weight", "fc.bias"]

    def gradients(stubs: Any) -> list[Any]:
        model = build(stubs, options, weights)
        leaf = x.clone().requires_grad_()
        (weight * has_shape(model(leaf), (4, 10), LOGITS)).sum().backward()
        of = {name: parameter.grad for name, parameter in model.named_parameters()}
        without = [name for name, gradient in of.items() if gradient is None]
        if leaf.grad is None or without:
            raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name=without[0] if without else "x")
        return [leaf.grad, *(of[name] for name in watched)]

    expected.close(
        submission,
        gradients,
        N_("The gradient of the images"),
        *(name for name in watched),
        # A gradient is a sum over both passes, all places of an image and all images.
        terms=2 * terms(options) * 4 * 20 * 20,
        hint=TRAINABLE,
    )


@pytest.mark.criterion("resnet.options")
@pytest.mark.parametrize(
    "options",
    [
        Options(num_classes=3),
        Options(in_channels=1),
        Options(in_channels=5, num_classes=7),
        Options(width=12),
        Options(batch_norm=False),
        Options(num_classes=4, in_channels=1, width=5, batch_norm=False),
    ],
    ids=["num_classes", "in_channels", "both", "width", "no_batch_norm", "all"],
)
def test_resnet_options(submission: Any, draw: Draw, expected: Expected, options: Options) -> None:
    weights, x = draw_weights(draw, options), draw.uniform(2, options.in_channels, 32, 32)

    def logits(stubs: Any) -> Any:
        return build(stubs, options, weights)(x)

    expected.close(submission, logits, LOGITS, terms=terms(options), hint=OPTIONS)


@pytest.mark.criterion("resnet.options")
def test_resnet_defaults(submission: Any) -> None:
    require_layout(submission.ResNet18(), Options(width=64))
