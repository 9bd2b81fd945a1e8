"""The one training loop: notebooks, grading and calibration all train with it.

A run takes the images and the stubs it shall use as arguments and gives back plain numbers and tensors, so that it
can run in another process. A stub may be a remote one: it is only ever called, once for each batch. On a graphics
card the images stay on it as bytes from beginning to end; batches are picked, augmented and attacked there, with
convolutions in TF32, as torch has them, and the loop waits for the card only where it tells its progress.

Shapes are written N (images), B (images of a batch), E (epochs). Images are uint8 in [0, 255] where they are stored,
and float in [0, 1] from `to_float` on: attacks and augmentation work in these pixel units, and `normalise` is the
first step of every model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .experiments import EPSILON, EXPERIMENTS, PATIENCE, PROFILES, Experiment

CLASSES = 10
CLASSIFIER = "fc."
"""What the names of the last layer's weights begin with."""

NEIGHBOURS = 5
CHUNK = 250
"""Images that go through a model at a time where no gradients are kept."""

WARM_UP = 0.1
"""Part of a run in which the learning rate rises; without it some runs stay at chance for epochs."""

GALLERY = 1000
"""Most training images among which nearest neighbours are sought after each epoch."""


class Parts(TypedDict, total=False):
    """The stubs that a run uses. ``ResNet18`` is always needed, the others where the experiment says so."""

    ResNet18: Callable[..., Any]
    LabelSmoothingCrossEntropy: Callable[..., Any]
    convert_label_to_similarity: Callable[..., Any]
    CircleLoss: Callable[..., Any]
    fgsm_attack: Callable[..., Any]


class Trained(TypedDict):
    """What a run gives back.

    ``state``: the model's ``state_dict()``, on the CPU. ``curves``: ``train_loss``, ``val_loss`` and
    ``val_accuracy``, E numbers each. ``epochs``: E.
    """

    state: dict[str, Tensor]
    curves: dict[str, list[float]]
    epochs: int


class TrainingFailed(Exception):
    """The training cannot go on because of what a stub gave back; the message is one line that says what."""


def train(
    experiment: str,
    profile: str,
    pixels: Tensor,
    labels: Tensor,
    parts: Parts,
    *,
    seed: int,
    first: Mapping[str, Tensor] | None = None,
    device: str = "cpu",
    progress: Callable[[float], object] | None = None,
) -> Trained:
    """Trains the model of an experiment.

    The same arguments give the same weights on the same machine. Part of the images is held out for validation, as
    the experiment says.

    Args:
        experiment: a key of `EXPERIMENTS`.
        profile: a key of `PROFILES`.
        pixels: (N, 3, 32, 32), uint8.
        labels: (N,), int64 in [0, 10).
        parts: the stubs to use.
        seed: of the first weights, the split, the order of the images, and every other draw.
        first: the weights to begin with, where the experiment has a ``start``: those of every layer, or of every
            layer but the classifier, whose first weights are then random.
        device: where to train, as torch writes it.
        progress: called with the part that is done, in (0, 1], about a hundred times.

    Raises:
        ValueError: ``first`` is missing, or is there where random weights are asked for.
        TrainingFailed: the loss is no finite number, or a stub gave back something of the wrong kind, or a model that
            ``first`` does not fit.
        Exception: whatever a stub raised.
    """
    row, scale = EXPERIMENTS[experiment], PROFILES[profile]
    if (first is not None) != (profile in row.start):
        raise ValueError(f"{experiment} begins with {row.start.get(profile, 'random weights')}; see `first`")
    with reproducible(seed):
        model = new_model(experiment, profile, parts)
        if row.first_weights == "residual":
            residual_weights(model)
        if first is not None:
            _begin(model, first)
        if row.tuned == "classifier":
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(name.startswith(CLASSIFIER))
        model = model.to(device)
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        run = _Run(row, model, _objective(row, parts), parts, seed, device)
        order = torch.randperm(len(labels), generator=run.generator)
        held_out, fitted = order.tensor_split([round(row.validation * len(labels))])
        fit, val = ((pixels[part].to(device), labels[part].to(device)) for part in (fitted, held_out))
        return run.fit(
            fit, val, scale.batch_size, row.epochs[profile], row.lr[profile], progress or (lambda done: None)
        )


def new_model(experiment: str, profile: str, parts: Parts) -> nn.Module:
    """The experiment's model with first weights from torch's global generator.

    Raises:
        TrainingFailed: the stub made no module.
    """
    row = EXPERIMENTS[experiment]
    make: Callable[..., Any] = dict(parts)[row.model]  # type: ignore[assignment]
    model = make(num_classes=CLASSES, width=PROFILES[profile].width, **row.model_options)
    if not isinstance(model, nn.Module):
        raise TrainingFailed(f"{row.model} made a {type(model).__name__}, which is no torch.nn.Module")
    return model


@torch.no_grad()
def residual_weights(model: nn.Module) -> None:
    """Draws first weights with which a residual network learns that has no normalisation layers.

    Convolutions as He et al. 2015, "Delving Deep into Rectifiers", section 2.2; the last one of each of the L blocks
    (``conv2``) times 1 / sqrt(L), so that all blocks together add to the signal what it was at first, and biases 0
    (Zhang et al. 2019, "Fixup Initialization", section 3, which goes down to 0 there). The classifier stays as it is.
    """
    convolutions = {name: part for name, part in model.named_modules() if isinstance(part, nn.Conv2d)}
    last = [name for name in convolutions if name.endswith(".conv2")]
    for name, part in convolutions.items():
        nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        if name in last:
            part.weight.div_(math.sqrt(len(last)))
        if part.bias is not None:
            nn.init.zeros_(part.bias)


def _begin(model: nn.Module, first: Mapping[str, Tensor]) -> None:
    """Puts ``first`` into the model, which must have exactly these weights, and may have a classifier besides."""
    try:
        missing, unexpected = model.load_state_dict(dict(first), strict=False)
    except RuntimeError as problem:
        raise TrainingFailed(f"the first weights do not fit the model: {problem}") from problem
    odd = [*unexpected, *(name for name in missing if not name.startswith(CLASSIFIER))]
    if odd:
        raise TrainingFailed(f"the first weights do not fit the model: {odd[0]}")


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seeds torch and computes in one thread; both are as they were afterwards.

    One thread because sums come out differently on other numbers of threads, and because it is the fastest for small
    models where other processes are busy.
    """
    threads = torch.get_num_threads()
    cudnn = torch.backends.cudnn.deterministic
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.backends.cudnn.deterministic = True
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cudnn.deterministic = cudnn


def to_float(pixels: Tensor) -> Tensor:
    """Stored pixels (B, 3, H, W), uint8 in [0, 255] -> float in [0, 1], in the memory layout that is fastest."""
    return pixels.to(torch.float32, memory_format=torch.channels_last) / 255


def normalise(images: Tensor) -> Tensor:
    """Images in [0, 1] -> what models take, in [-1, 1]; same shape."""
    return (images - 0.5) / 0.5


def neighbours_vote(gallery: Tensor, gallery_labels: Tensor, queries: Tensor, neighbours: int = NEIGHBOURS) -> Tensor:
    """k-nearest-neighbours classification by cosine similarity.

    Args:
        gallery: (M, D), float, rows of length 1.
        gallery_labels: (M,), int64 in [0, 10).
        queries: (N, D), float, rows of length 1.
        neighbours: how many vote. Of classes with equally many votes the more similar wins.

    Returns:
        Classes (N,), int64.
    """
    onehot = F.one_hot(gallery_labels, CLASSES).to(gallery.dtype)  # (M, K)
    chosen = []
    for chunk in torch.split(queries, 1000):
        similarity, index = (chunk @ gallery.T).topk(min(neighbours, len(gallery)), dim=1)  # (B, neighbours) each
        votes = onehot[index]  # (B, neighbours, K)
        chosen.append((votes.sum(1) + 0.01 * (similarity[..., None] * votes).sum(1)).argmax(1))
    return torch.cat(chosen) if chosen else gallery_labels.new_empty(0)


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image (B, 3, H, W) turned by up to 5 degrees, shifted by up to 5 % and scaled by 0.95 to 1.05.

    ``generator`` is one of the images' device.
    """
    draw = 2 * torch.rand(4, len(images), generator=generator, device=images.device) - 1  # (4, B), in [-1, 1)
    angle, scale = draw[0] * math.radians(5), 1 + 0.05 * draw[1]
    cos, sin = angle.cos() / scale, angle.sin() / scale
    shift = 2 * 0.05 * draw[2:]  # affine_grid measures in half images
    matrix = torch.stack([cos, -sin, shift[0], sin, cos, shift[1]], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)


def _objective(row: Experiment, parts: Parts) -> Callable[[nn.Module, Tensor, Tensor], Any]:
    """The loss as a function of model, images (B, 3, H, W) in [0, 1] and classes (B,)."""
    if row.loss == "circle":
        circle, pairs = parts["CircleLoss"](**row.loss_options), parts["convert_label_to_similarity"]

        def of_pairs(model: nn.Module, images: Tensor, labels: Tensor) -> Any:
            pair = pairs(normed_features(model, images), labels)
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise TrainingFailed("convert_label_to_similarity gave back something else than sp and sn")
            return circle(*pair)

        return of_pairs
    smoothed = row.loss == "label_smoothing"
    loss = parts["LabelSmoothingCrossEntropy"](**row.loss_options) if smoothed else F.cross_entropy
    return lambda model, images, labels: loss(logits(model, images), labels)


def logits(model: nn.Module, images: Tensor) -> Tensor:
    """Images (B, 3, H, W) in [0, 1] -> the model's logits (B, 10)."""
    output: Tensor = model(normalise(images))
    return output


def normed_features(model: nn.Module, images: Tensor) -> Tensor:
    """Images (B, 3, H, W) in [0, 1] -> the model's features (B, D), each of length 1."""
    features: Tensor = model.features(normalise(images))  # type: ignore[operator]
    return F.normalize(features, dim=1)


class _Run:
    """One training run: what stays the same from batch to batch."""

    def __init__(
        self,
        row: Experiment,
        model: nn.Module,
        objective: Callable[[nn.Module, Tensor, Tensor], Any],
        parts: Parts,
        seed: int,
        device: str,
    ) -> None:
        self.row, self.model, self.objective, self.parts = row, model, objective, parts
        self.generator = torch.Generator().manual_seed(seed)
        self.cuda = torch.device(device).type == "cuda"
        # What is decided for each image is drawn where the images are, and costs no transfer.
        self.draws = torch.Generator(device).manual_seed(seed) if self.cuda else self.generator

    def fit(
        self,
        fit: tuple[Tensor, Tensor],
        val: tuple[Tensor, Tensor],
        batch_size: int,
        epochs: int,
        lr: float,
        progress: Callable[[float], object],
    ) -> Trained:
        """Trains on ``fit`` and watches ``val``, each pixels (N, 3, 32, 32) and labels (N,)."""
        parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        optimiser = (
            torch.optim.SGD(parameters, lr=lr, momentum=0.9, fused=self.cuda)
            if self.row.optimiser == "sgd"
            else torch.optim.Adam(parameters, lr=lr, fused=self.cuda)
        )
        # A last batch of a single image would have no batch statistics, so it is left out.
        batches = max(1, len(fit[1]) // batch_size)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / (epochs * batches)))
        curves: dict[str, list[float]] = {"train_loss": [], "val_loss": [], "val_accuracy": []}
        best, best_epoch, state = math.inf, 0, None
        for epoch in range(epochs):
            self.model.train(self.row.tuned == "all")
            total = torch.zeros((), dtype=torch.float64, device=fit[1].device)
            order = self._order(fit[1])
            for step in range(batches):
                index = order[step * batch_size : (step + 1) * batch_size]
                loss = self._loss(*self._batch(fit[0][index], fit[1][index]))
                total += loss.detach()
                done = epoch * batches + step + 1
                percent = [100 * steps // (epochs * batches) for steps in (done - 1, done)]
                tell = step + 1 == batches or percent[0] < percent[1]
                if tell or not self.cuda:  # to look at a number of a card is to wait for it
                    _finite(loss if not self.cuda else total)
                optimiser.zero_grad()
                _backward(loss)
                optimiser.step()
                schedule.step()
                if tell:
                    progress(done / (epochs * batches))
            val_loss, val_accuracy = self._validate(fit, val)
            curves["train_loss"].append(total.item() / batches)
            curves["val_loss"].append(val_loss)
            curves["val_accuracy"].append(val_accuracy)
            if self.row.early_stopping and val_loss < best:
                best, best_epoch, state = val_loss, epoch, _copy(self.model)
            if self.row.early_stopping and epoch - best_epoch >= PATIENCE:
                break
        progress(1.0)
        state = _copy(self.model) if state is None else state
        return {"state": state, "curves": curves, "epochs": len(curves["train_loss"])}

    def _order(self, labels: Tensor) -> Tensor:
        """A random order of the images (N,); for pairs one in which every batch has about as many of each class."""
        order = torch.randperm(len(labels), generator=self.generator).to(labels.device)
        if self.row.loss != "circle":
            return order
        seen = F.one_hot(labels[order], CLASSES).cumsum(0)  # (N, K), how many of each class up to here
        rank = seen.gather(1, labels[order][:, None]).squeeze(1)  # (N,), the how-manieth of its class
        return order[rank.argsort(stable=True)]

    def _batch(self, pixels: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What the model is shown of a batch: images (B, 3, H, W) in [0, 1], and labels (B,)."""
        images = to_float(pixels)
        if self.row.augmentation:
            images = augmented(images, self.draws)
        if self.row.adversarial_probability > torch.rand((), generator=self.generator):
            images.requires_grad_()
            (grad,) = torch.autograd.grad(self._loss(images, labels), images)
            images = images.detach()
            attacked = self.parts["fgsm_attack"](images, EPSILON, grad)
            if not isinstance(attacked, Tensor) or attacked.shape != images.shape:
                raise TrainingFailed(f"fgsm_attack gave back {_kind(attacked)} for {_kind(images)}")
            images = attacked.detach().to(images)
        return images, labels

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch, a scalar."""
        loss = self.objective(self.model, images, labels)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise TrainingFailed(f"the loss is {_kind(loss)}, but should be a single number")
        return loss.reshape(())

    @torch.no_grad()
    def _validate(self, fit: tuple[Tensor, Tensor], val: tuple[Tensor, Tensor]) -> tuple[float, float]:
        """Loss and accuracy on the validation part; without one (0, 0)."""
        if not len(val[1]):
            return 0.0, 0.0
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=val[1].device)
        for pixels, labels in zip(torch.split(val[0], CHUNK), torch.split(val[1], CHUNK), strict=True):
            total += self._loss(to_float(pixels), labels) * len(labels)
        _finite(total)
        if self.row.loss == "circle":
            gallery = embedded(self.model, fit[0][:GALLERY])
            predicted = neighbours_vote(gallery, fit[1][:GALLERY], embedded(self.model, val[0]))
        else:
            predicted = torch.cat(
                [logits(self.model, to_float(part)).argmax(1) for part in torch.split(val[0], CHUNK)]
            )
        return total.item() / len(val[1]), (predicted == val[1]).double().mean().item()


@torch.no_grad()
def embedded(model: nn.Module, pixels: Tensor) -> Tensor:
    """Stored pixels (N, 3, H, W) -> the model's features (N, D), each of length 1."""
    return torch.cat([normed_features(model, to_float(part)) for part in torch.split(pixels, CHUNK)])


def _rate(done: float) -> float:
    """The learning rate's factor after the part ``done`` of a run: a short rise, then half a cosine down to zero."""
    if done < WARM_UP:
        return (done + 0.01) / (WARM_UP + 0.01)
    return 0.5 + 0.5 * math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))


def _finite(loss: Tensor) -> None:
    if not torch.isfinite(loss):
        raise TrainingFailed(f"the loss became {loss.item()}")


def _backward(loss: Tensor) -> None:
    if not loss.requires_grad:
        raise TrainingFailed("the loss has no gradient: compute it from the given tensors, without detach or item")
    loss.backward()  # type: ignore[no-untyped-call]


def _copy(model: nn.Module) -> dict[str, Tensor]:
    """The model's state on the CPU, apart from the model."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in model.state_dict().items()}


def _kind(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
