"""Checks of `ResNet18`. Every comparison loads the same drawn weights into the submission and the reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from hw1.tests.expect import N_, Draw, Expected, Mistake, Sentence, has_shape, is_callable, is_tensor, mistake

LOGITS, FEATURES = N_("The logits"), N_("The features")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
LAYERS = 20  # convolutions and the last layer, one behind the other
SHARE = 0.3
"""How far a right gradient may lie from another, as a share of its length.

Two right networks differ by rounding, and where a ReLU's input is nearly 0, or two places of a max-pool tie, that
turns a decision. The gradient through that place is then there for one and not for the other: a few of thousands
of places are wholly off, so that no bound on single values holds. Off by k of n such places an arrow misses by
about sqrt(k / n) of its length: 5.5e-2 is the most that was seen among right networks on 25 seeds, and wrong ones
miss by 0.84 and more.
"""

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
OWN = N_("Every layer needs weights of its own: look in resnet.py for a layer that stands at two places.")
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


def draw_images(draw: Draw, *shape: int) -> Tensor:
    """Images far outside of [0, 1]: a network with a layer that bounds what it is given must not get away with it."""
    return draw.normal(*shape, scale=3)


def network(stubs: Any, *positional: Any, **named: Any) -> Any:
    """A network of these stubs."""
    return is_callable(stubs.ResNet18(*positional, **named), "ResNet18(...)")


def build(stubs: Any, options: Options, weights: dict[str, Tensor]) -> Any:
    """A network of these stubs with these weights in it, in eval mode."""
    model = network(stubs, **asdict(options))
    require_layout(model, options)
    model.load_state_dict(weights)
    model.eval()
    return model


def require_layout(model: Any, options: Options) -> None:
    """Raises a `Mistake` that names the first missing, superfluous or misshapen entry of ``state_dict()``."""
    wanted = layout(options)
    got = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    lacking, foreign = [n for n in wanted if n not in got], [n for n in got if n not in wanted]
    problems = []
    if lacking:
        counted = {"name": lacking[0], "count": len(lacking)}
        problems.append(Sentence(N_("state_dict() lacks {name} (missing in all: {count})."), counted))
    if foreign:
        counted = {"name": foreign[0], "count": len(foreign)}
        problems.append(
            Sentence(N_("state_dict() has {name}, which is not in torchvision's (of such: {count})."), counted)
        )
    if problems:
        raise Mistake(*problems, Sentence(LAYOUT))
    for name, shape in wanted.items():
        if got[name] != shape:
            raise mistake(
                N_("{name} in state_dict() must have the shape {want}, but has {got}."),
                LAYOUT,
                name=name,
                want=str(shape),
                got=str(got[name]),
            )


def entry(state: dict[str, Tensor], name: str) -> Tensor:
    """An entry of ``state_dict()``; if there is none, a `Mistake`."""
    if name not in state:
        raise mistake(N_("state_dict() lacks {name}."), LAYOUT, name=name)
    return state[name]


def gradients_of(model: Any, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of every parameter under the name that ``state_dict()`` has for it.

    The network may call its parameters otherwise, so each is known by the drawn weights in it: no two are alike.

    Raises:
        Mistake: there is no such parameter, or no gradient has come to it.
    """
    parameters = [parameter for _, parameter in model.named_parameters()]
    found = {}
    for name, value in weights.items():
        if name.endswith(BUFFERS):
            continue
        alike = [p for p in parameters if p.shape == value.shape and torch.equal(p.detach().to(value.dtype), value)]
        if not alike:
            raise mistake(N_("No parameter holds what load_state_dict() was given for {name}."), OWN, name=name)
        if alike[0].grad is None:
            raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name=name)
        found[name] = alike[0].grad
    return found


def terms(options: Options) -> int:
    """Length of the longest sum behind a logit, counted through all layers."""
    return LAYERS * 9 * 8 * options.width


@pytest.mark.criterion("resnet.layout")
@pytest.mark.parametrize(
    "options", [Options(), PAPER, Options(num_classes=1000, width=64)], ids=["narrow", "paper", "imagenet"]
)
def test_resnet_layout(submission: Any, options: Options) -> None:
    model = network(submission, **asdict(options))
    require_layout(model, options)
    parameters = dict(model.named_parameters())
    trainable = sum(parameter.numel() for parameter in parameters.values() if parameter.requires_grad)
    wanted = sum(torch.Size(shape).numel() for name, shape in layout(options).items() if not name.endswith(BUFFERS))
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
    weights, x = draw_weights(draw, options), draw_images(draw, *shape)

    def logits(stubs: Any) -> Any:
        return build(stubs, options, weights)(x)

    expected.close(submission, logits, LOGITS, terms=terms(options), hint=WIRING)


@pytest.mark.criterion("resnet.features")
@pytest.mark.parametrize("size", [32, 80])
def test_resnet_features(submission: Any, draw: Draw, expected: Expected, size: int) -> None:
    options = Options()
    weights, x = draw_weights(draw, options), draw_images(draw, 2, 3, size, size)

    def features(stubs: Any) -> Any:
        return build(stubs, options, weights).features(x)

    expected.close(submission, features, FEATURES, terms=terms(options), hint=POOLED)


@pytest.mark.criterion("resnet.training")
def test_resnet_batch_statistics(submission: Any, draw: Draw, expected: Expected) -> None:
    options = Options()
    weights, x = draw_weights(draw, options), draw_images(draw, 6, 3, 48, 48)

    def train_then_eval(stubs: Any) -> list[Any]:
        model = build(stubs, options, weights)
        model.train()
        training = model(x)
        state = model.state_dict()
        model.eval()
        averages = entry(state, "bn1.running_mean"), entry(state, "layer4.1.bn2.running_var")
        return [training, *averages, model(x), model(x)]

    expected.close(
        submission,
        train_then_eval,
        N_("The logits in training mode"),
        N_("bn1.running_mean after one batch"),
        N_("layer4.1.bn2.running_var after one batch"),
        N_("The logits in eval mode after one batch in training mode"),
        N_("The logits in eval mode, asked for a second time"),
        terms=terms(options),
        hint=TRAINING,
    )


@pytest.mark.criterion("resnet.training")
@pytest.mark.parametrize(
    "batch_norm, training",
    [(True, False), (True, True), (False, True)],
    ids=["eval", "train", "no_batch_norm"],
)
def test_resnet_gradients(submission: Any, draw: Draw, expected: Expected, batch_norm: bool, training: bool) -> None:
    options = Options(batch_norm=batch_norm)
    weights, x, weight = draw_weights(draw, options), draw.uniform(4, 3, 40, 40), draw.normal(4, 10)
    watched = ["conv1.weight", "layer2.0.downsample.0.weight", "layer1.1.conv2.weight", "fc.weight", "fc.bias"]

    def gradients(stubs: Any) -> list[Any]:
        model = build(stubs, options, weights)
        model.train(training)
        leaf = x.clone().requires_grad_()
        logits = has_shape(model(leaf), (4, 10), LOGITS)
        if not logits.requires_grad:
            raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name="x")
        torch.autograd.backward((weight * logits).sum())
        if leaf.grad is None:
            raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name="x")
        of = gradients_of(model, weights)
        return [leaf.grad, *(of[name] for name in watched)]

    expected.close_in_length(
        submission,
        gradients,
        N_("The gradient of the images"),
        *(name for name in watched),
        share=SHARE,
        hint=TRAINABLE,
    )


@pytest.mark.criterion("resnet.training")
def test_resnet_features_gradient(submission: Any, draw: Draw) -> None:
    """What is trained on features, such as a loss of pairs, reaches the layers through them."""
    options = Options()
    x = draw.uniform(2, 3, 64, 64).requires_grad_()
    features = is_tensor(build(submission, options, draw_weights(draw, options)).features(x), FEATURES)
    if not features.requires_grad:
        raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name="x")
    torch.autograd.backward(features.sum())
    if x.grad is None:
        raise mistake(N_("No gradient reaches {name}."), TRAINABLE, name="x")


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
    weights, x = draw_weights(draw, options), draw_images(draw, 2, options.in_channels, 32, 32)

    def logits(stubs: Any) -> Any:
        return build(stubs, options, weights)(x)

    expected.close(submission, logits, LOGITS, terms=terms(options), hint=OPTIONS)


@pytest.mark.criterion("resnet.options")
def test_resnet_defaults(submission: Any) -> None:
    require_layout(network(submission), Options(width=64))


@pytest.mark.criterion("resnet.options")
def test_resnet_order_of_options(submission: Any) -> None:
    require_layout(network(submission, 7, 1, 8, False), Options(7, 1, 8, False))
