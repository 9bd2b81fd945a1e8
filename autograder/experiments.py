"""Runs the experiments of a submission: trains with the student's part, measures with the reference.

Where the student's part is the model, a contestant trains it and hands back weights, which are loaded strictly into
the reference's model here. Where it is a loss or an attack, the judge's own process trains the reference's model and
asks the contestant for every batch. Either way what counts is what the judge measures of the weights.
"""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import os
import signal
import threading
import time
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import metadata
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from autograder import __version__, thresholds
from autograder.assignment import Assignment, load
from autograder.judge import faults
from autograder.judge.contestant import MAX_TEXT, SubmissionFault, SubmissionFolder
from autograder.results import Experiment, Text, write_atomically
from autograder.stopping import stop_by
from autograder.store import STORE
from autograder.wire import StubRef

BATCH_S = 30.0
"""Time limit of one call of a student's function during training, seconds."""

SEED = 20_000
"""Of all trainings and measurements in grading. The student's process is told it, so it is not the hidden one."""

STEP = 0.005
"""The least part of an experiment that is worth reporting."""

ALL = "all experiments"
"""The stage of progress that stands for all that are run together."""

KEPT = "experiments"
"""The folder beside a result that is not finished; each experiment that ended has its record in it."""

NOT_FIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What our training loop raises where a student's function gave it something that it cannot go on with."""


class Unusable(Exception):
    """What the student's part gave cannot be measured; ``text`` tells it in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class NotRun(Unusable):
    """What the experiment begins with is not on this machine; nobody's fault."""


class DataUnavailable(Exception):
    """The images asked for are not there; one line that says which and how to mend it."""


@dataclass(frozen=True)
class Order:
    """One experiment to run, in words that another process understands."""

    assignment: str
    experiment: str
    profile: str
    data: Path | None
    seed: int
    place: SubmissionFolder | None
    """The submission, or the part of it that is tried; the reference stands in for the rest, or if None for all."""
    device: str = "cpu"
    """Where to train and to measure, as torch writes it."""
    earlier: Path | None = None
    """Where an earlier run may have left its arrays; a map of the very same features is taken from there."""


def device_for(profile: str) -> str:
    """A graphics card for the full profile, if there is one; the quick one is the same on every machine."""
    return "cuda" if profile == "full" and torch.cuda.is_available() else "cpu"


def device_name(device: str) -> str:
    """What people call a device."""
    return torch.cuda.get_device_name() if device == "cuda" else device


def run(
    assignment: Assignment,
    wanted: list[str],
    place: SubmissionFolder,
    out: Path,
    *,
    profile: str,
    data: Path | None,
    jobs: int,
    on_progress: Callable[[str, float], None],
    sha256: str = "",
    resume: bool = False,
) -> tuple[list[Experiment], dict[str, str]]:
    """Runs experiments, up to ``jobs`` at a time, and writes ``out/figures/<id>.npz`` for each.

    The record of each that ends is kept in ``out/experiments`` until `forget` is called, so that a run that was
    interrupted has lost no more than what was under way.

    Args:
        assignment: whose experiments.
        wanted: their ids.
        place: the submission.
        out: the folder of the result.
        profile: a key of the registry's ``PROFILES``.
        data: a store of real images, or None for the embedded ones.
        jobs: processes that train at a time.
        on_progress: called with the id of an experiment, or `ALL`, and the part of it that is done.
        sha256: of the submission; what was kept for another one is not used.
        resume: use the records that are kept.

    Returns:
        A record for each of ``wanted``, in that order; "not_run" with a note where the student's part gave nothing
        that can be measured. And the grader's own faults: experiment -> traceback; these are not run either.

    Raises:
        DataUnavailable: ``data`` does not hold what the experiments need.
    """
    require_data(assignment, wanted, profile, data)
    registry = assignment.module("experiments")
    device = device_for(profile)
    costs = {name: cost(registry, name, profile) for name in wanted}
    # The longest first: what is begun last should end soon.
    orders = [
        Order(assignment.name, name, profile, data, SEED, place, device, out / _figures(name))
        for name in sorted(wanted, key=lambda name: -costs[name])
    ]
    records: dict[str, Experiment] = {}
    broken: dict[str, str] = {}
    done = dict.fromkeys(wanted, 0.0)

    def told(name: str, part: float) -> None:
        done[name] = part
        on_progress(name, part)
        if len(wanted) > 1:
            on_progress(ALL, sum(costs[each] * done[each] for each in wanted) / sum(costs.values()))

    def failed(order: Order, problem: Exception) -> None:
        broken[order.experiment] = "".join(traceback.format_exception(problem))
        row = registry.EXPERIMENTS[order.experiment]
        records[order.experiment] = _record(row, SEED, "").model_copy(
            update={"status": "not_run", "note": faults.bilingual(faults.NO_CHECK)}
        )

    for order in orders if resume else ():
        if (kept := _kept(assignment, order, out, sha256)) is not None:
            records[order.experiment] = kept
            told(order.experiment, 1.0)
    missing = [order for order in orders if order.experiment not in records]
    for order, record, arrays in perform(missing, jobs, told, failed) if missing else ():
        if arrays:
            record.arrays = _figures(order.experiment)
            write_atomically(out / record.arrays, packed(arrays))
            _keep(assignment, order, record, out, sha256)
        records[order.experiment] = record
    return [records[name] for name in wanted], broken


def _made_with(assignment: Assignment, order: Order, sha256: str) -> dict[str, str | int]:
    """All that a kept record depends on."""
    return {
        "kit": __version__,
        "submission": sha256,
        "place": thresholds.key(order.profile, order.data),
        "settings": thresholds.fingerprint(assignment, order.experiment, order.profile, order.data),
        "seed": order.seed,
        "device": device_name(order.device),
        "isolation": order.place.isolation if order.place else "",
    }


def _keep(assignment: Assignment, order: Order, record: Experiment, out: Path, sha256: str) -> None:
    content = {"made_with": _made_with(assignment, order, sha256), "record": record.model_dump(mode="json")}
    write_atomically(out / KEPT / f"{order.experiment}.json", json.dumps(content, indent=1).encode())


def _kept(assignment: Assignment, order: Order, out: Path, sha256: str) -> Experiment | None:
    """The record of an earlier run with the same submission and settings, if its figures are there too."""
    try:
        content = json.loads((out / KEPT / f"{order.experiment}.json").read_text(encoding="utf-8"))
        if content["made_with"] != _made_with(assignment, order, sha256):
            return None
        record = Experiment.model_validate(content["record"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not (out / "figures" / f"{order.experiment}.npz").is_file():
        return None
    return record.model_copy(update=thresholds.stored(assignment, order.profile, order.data, order.experiment))


def forget(out: Path) -> None:
    """Removes the kept records: the result that they belong to is written."""
    for path in (out / KEPT).glob("*.json"):
        path.unlink()
    if (out / KEPT).is_dir() and not any((out / KEPT).iterdir()):
        (out / KEPT).rmdir()


def cost(registry: Any, experiment: str, profile: str) -> float:
    """About how long an experiment takes beside others: the images that it trains on, each as often as it does.

    What it begins with counts, an attack counts as another pass, and so does measuring.
    """
    row, scale = registry.EXPERIMENTS[experiment], registry.PROFILES[profile]
    images = row.images or scale.train[row.question] or 50_000
    passes = row.epochs[profile] * (1 + row.adversarial_probability) + 1
    start = row.start.get(profile)
    return float(images * passes) + (cost(registry, start, profile) if start in registry.EXPERIMENTS else 0.0)


def _figures(experiment: str) -> str:
    """Where an experiment's arrays lie, relative to ``results.json``."""
    return f"figures/{experiment}.npz"


def begun_with(rows: dict[str, Any], experiment: str, profile: str) -> list[Any]:
    """The rows of the experiments whose weights this one begins with, the nearest first."""
    found = []
    while (experiment := rows[experiment].start.get(profile, "")) in rows:
        found.append(rows[experiment])
    return found


def require_data(assignment: Assignment, wanted: Iterable[str], profile: str, data: Path | None) -> None:
    """Sees to it, before anything is trained, that a store of real images holds what these experiments need.

    Raises:
        DataUnavailable: it does not.
    """
    datasets, rows = assignment.module("datasets"), assignment.module("experiments").EXPERIMENTS
    needed = {(rows[name].train_role, "train") for name in wanted}
    needed |= {(role, "test") for name in wanted for role in rows[name].test_roles}
    needed |= {(row.train_role, "train") for name in wanted for row in begun_with(rows, name, profile)}
    for role, split in sorted(needed) if data is not None else ():
        try:
            datasets.load(role, split, data)  # maps the file, reads none of it
        except datasets.DataMissing as problem:
            raise DataUnavailable(str(problem)) from problem


def _fail(order: Order, problem: Exception) -> None:
    raise problem


def perform(
    orders: list[Order],
    jobs: int,
    on_progress: Callable[[str, float], None] = lambda stage, done: None,
    on_fault: Callable[[Order, Exception], None] = _fail,
) -> Iterator[tuple[Order, Experiment, dict[str, np.ndarray]]]:
    """Carries out orders in processes of their own, each with one thread; yields them as they are done.

    ``on_fault`` is called for an order that failed by no fault of the student's; without it the error is raised.
    """
    # Spawned, not forked: this process has threads (progress) and may have touched CUDA.
    context = multiprocessing.get_context("spawn")
    queue: Queue[tuple[str, float] | None] = context.Queue()
    listener = threading.Thread(target=_relay, args=(queue, on_progress), daemon=True)
    listener.start()
    workers = max(1, min(jobs, len(orders)))
    try:
        with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(queue,)) as pool:
            with _uninterrupted():
                futures = {pool.submit(_perform_apart, order): order for order in orders}
            try:
                for future in as_completed(futures):
                    try:
                        done = future.result()
                    except Exception as problem:
                        on_fault(futures[future], problem)
                    else:
                        yield futures[future], *done
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in multiprocessing.active_children():
                    worker.terminate()
                raise
    finally:
        queue.put(None)
        listener.join(timeout=5)
        queue.close()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes started inside never hear of Control-C: it is this one's to end them. It hears of it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _relay(queue: Queue[tuple[str, float] | None], on_progress: Callable[[str, float], None]) -> None:
    while (message := queue.get()) is not None:
        on_progress(*message)


_reports: Queue[tuple[str, float] | None] | None = None


def _begin(queue: Queue[tuple[str, float] | None]) -> None:
    """What a worker process does first."""
    global _reports
    _reports = queue
    torch.set_num_threads(1)
    stop_by(signal.SIGTERM, raising=lambda: SystemExit(1))  # in order: its contestant and its scratch go too
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the one that started it is killed: nobody waits for what it computes any more."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _perform_apart(order: Order) -> tuple[Experiment, dict[str, np.ndarray]]:
    """`perform_one`, with errors that the process that waits can read: it may not know the assignment's classes."""

    def report(done: float) -> None:
        if _reports is not None:
            _reports.put((order.experiment, done))

    try:
        return perform_one(order, report)
    except SystemExit:
        os._exit(1)  # the pool would take it for an order that failed, and begin the next one
    except Exception as problem:
        raise RuntimeError(f"{order.experiment}: {type(problem).__name__}: {problem}") from problem


def perform_one(
    order: Order, report: Callable[[float], None] = lambda done: None
) -> tuple[Experiment, dict[str, np.ndarray]]:
    """Runs one experiment in this process. Training is 80 % of its progress, measuring and the map the rest."""
    started = time.monotonic()
    assignment = load(order.assignment)
    rows, datasets = assignment.module("experiments"), assignment.module("datasets")
    measurement = assignment.module("measurement")
    row, scale = rows.EXPERIMENTS[order.experiment], rows.PROFILES[order.profile]
    report(0.0)
    train = _to_train_on(datasets, row, scale, order.data)
    tests = {role: datasets.load(role, "test", order.data, count=scale.test) for role in row.test_roles}
    data = data_name(assignment, row.id, order.profile, order.data)
    stored = thresholds.stored(assignment, order.profile, order.data, row.id)
    record = _record(row, order.seed, data).model_copy(update=stored)
    try:
        trained, model = _trained(order, assignment, train, _steadily(lambda done: report(0.8 * done)))
        measured = measurement.measure(
            row.id,
            order.profile,
            model,
            train,
            tests,
            seed=order.seed,
            device=order.device,
            progress=lambda done: report(0.8 + 0.1 * done),
        )
        if not np.isfinite(measured.arrays["features"]).all():  # finite weights, too large to compute with
            raise _unfit(row, "features()")
    except Unusable as problem:
        report(1.0)
        return record.model_copy(
            update={"status": "not_run", "note": problem.text, "duration_s": time.monotonic() - started}
        ), {}
    arrays = measured.arrays if order.place is None else mapped(measurement, measured.arrays, order.earlier)
    curves = _curves(trained)
    arrays |= {f"curve_{name}": np.array(values, np.float32) for name, values in curves.items()}
    report(1.0)
    record = record.model_copy(
        update={
            "metrics": measured.metrics,
            "epochs": len(curves.get("train_loss", [])),
            "duration_s": time.monotonic() - started,
        }
    )
    return record, arrays


def mapped(measurement: Any, arrays: dict[str, np.ndarray], earlier: Path | None) -> dict[str, np.ndarray]:
    """``measurement.embed(arrays)``, or what it made of the very same features, seed and settings before.

    The map takes longer than all else that is measured. ``umap_key``, uint8 (32,), is the SHA-256 of what it is made
    from; the arrays in the npz file ``earlier`` are taken where they carry the same one.
    """
    settings = (metadata.version("umap-learn"), measurement.NEIGHBOURS, measurement.MIN_DIST)
    digest = hashlib.sha256(repr(settings).encode())
    for name in ("features", "umap_label", "umap_group", "umap_seed"):
        digest.update(f"{arrays[name].dtype}{arrays[name].shape}".encode() + arrays[name].tobytes())
    key = np.frombuffer(digest.digest(), np.uint8)
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error), ExitStack() as stack:
        kept = stack.enter_context(np.load(earlier, allow_pickle=False)) if earlier else {}
        if np.array_equal(kept["umap_key"], key):
            known = {name: kept[name] for name in kept if name.startswith("umap_") and name not in arrays}
            return {name: array for name, array in arrays.items() if name != "features"} | known
    made: dict[str, np.ndarray] = measurement.embed(arrays)
    return made | {"umap_key": key}


def _record(row: Any, seed: int, data: str) -> Experiment:
    """What is known of an experiment before it is run."""
    return Experiment(
        id=row.id,
        title=Text(**row.title._asdict()),
        protocol=Text(**row.protocol._asdict()),
        question=row.question,
        data=data,
        published=dict(row.published),
        seed=seed,
    )


def _steadily(report: Callable[[float], None]) -> Callable[[object], None]:
    """Takes the training's progress from whoever trains and reports it, as far as it is one: it grows, by steps."""
    told = 0.0

    def progress(done: object) -> None:
        nonlocal told
        if isinstance(done, (int, float)) and told < done <= 1 and (done - told >= STEP or done == 1):
            told = float(done)
            report(told)

    return progress


def _reference_parts(assignment: Assignment) -> dict[str, Any]:
    return {name: getattr(assignment.reference, name) for name in assignment.stubs}


def _to_train_on(datasets: Any, row: Any, scale: Any, data: Path | None) -> Any:
    """The images that a row is trained on."""
    counts = [count for count in (row.images, scale.train[row.question]) if count is not None]
    return datasets.load(row.train_role, "train", data, count=min(counts, default=None))


def data_name(assignment: Assignment, experiment: str, profile: str, data: Path | None) -> str:
    """The images that an experiment sees, in the order it does: what its first weights were trained on, then its own.

    Their names are joined by arrows.
    """
    registry, datasets = assignment.module("experiments"), assignment.module("datasets")
    names: dict[str, str] = datasets.EMBEDDED if data is None else datasets.REAL
    row = registry.EXPERIMENTS[experiment]
    seen = [names[role] for role in (row.train_role, *row.test_roles)]
    start = row.start.get(profile, "")
    if start in registry.WEIGHTS:
        seen.insert(0, registry.WEIGHTS[start].data)
    elif start:
        seen.insert(0, names[registry.EXPERIMENTS[start].train_role])
    return " -> ".join(dict.fromkeys(seen))


def _trained(
    order: Order, assignment: Assignment, train: Any, progress: Callable[[object], None]
) -> tuple[Any, nn.Module]:
    """What the training handed back, and the reference's model with the weights in it.

    Where an experiment begins with the weights of another, that is trained first, by the same hand.

    Raises:
        Unusable: the student's part did not let it come to an end, or its weights do not fit.
        NotRun: the weights it begins with are not here.
    """
    rows, training = assignment.module("experiments"), assignment.module("training")
    row, scale = rows.EXPERIMENTS[order.experiment], rows.PROFILES[order.profile]
    parts = _reference_parts(assignment)
    start, first = row.start.get(order.profile), None
    if start in rows.WEIGHTS:
        first, share = _published(assignment, start, order.data, parts[row.model]), 0.0
    elif start:
        share = 0.5
        images = _to_train_on(assignment.module("datasets"), rows.EXPERIMENTS[start], scale, order.data)
        earlier = replace(order, experiment=start)
        _, model = _trained(earlier, assignment, images, _steadily(lambda done: progress(share * done)))
        first = {
            name: value
            for name, value in model.state_dict().items()
            if row.keep_classifier or not name.startswith(training.CLASSIFIER)
        }
    else:
        share = 0.0
    pixels, labels = torch.from_numpy(np.array(train.pixels)), torch.from_numpy(np.array(train.labels))
    arguments = (row.id, order.profile, pixels, labels)
    steadily = _steadily(lambda done: progress(share + (1 - share) * done))
    trained = _train(order, assignment, training, row, scale, arguments, first, steadily)
    return trained, load_weights(training, row, order.profile, parts, trained)


def _published(assignment: Assignment, name: str, data: Path | None, make: Any) -> dict[str, Tensor]:
    """Published weights, from the store of real images or torch's own cache.

    Raises:
        NotRun: they are not there, or damaged.
    """
    weights = assignment.module("weights")
    command = f"python -m autograder data fetch {name}"
    try:
        found: dict[str, Tensor] = weights.read(name, data or STORE, make)
    except weights.WeightsMissing as problem:
        message = faults.WEIGHTS_DAMAGED if problem.damaged else faults.WEIGHTS_MISSING
        text = faults.bilingual(message, file=problem.damaged or problem.file, command=command)
        raise NotRun(text) from problem
    return found


def _train(
    order: Order,
    assignment: Assignment,
    training: Any,
    row: Any,
    scale: Any,
    arguments: tuple[str, str, Tensor, Tensor],
    first: dict[str, Tensor] | None,
    progress: Callable[[object], None],
) -> Any:
    """Trains with the student's part where it belongs, beginning with the weights ``first`` if there are any.

    Raises:
        Unusable: the student's part did not let it come to an end.
    """
    parts = _reference_parts(assignment)
    if order.place is None:
        return training.train(*arguments, parts, seed=order.seed, first=first, device=order.device, progress=progress)
    stub = row.stubs[0]
    try:
        with order.place.open(BATCH_S) as submission:
            if row.model in row.stubs:
                return submission.provided(
                    "training",
                    "train",
                    *arguments,
                    {name: StubRef(name) for name in row.stubs},
                    seed=order.seed,
                    first=first,
                    device=order.device if order.place.isolation == "none" else "cpu",  # a card is locked away
                    timeout_s=scale.time_limit_s,
                    on_progress=progress,
                )
            parts |= {
                name: across(getattr(submission, name), order.device)
                for name in row.stubs
                if name in order.place.stubs
            }
            deadline = time.monotonic() + scale.time_limit_s

            def watched(done: float) -> None:
                if time.monotonic() > deadline:
                    raise SubmissionFault("timeout", f"no end of the training within {scale.time_limit_s:g} s")
                progress(done)

            return training.train(
                *arguments, parts, seed=order.seed, first=first, device=order.device, progress=watched
            )
    except SubmissionFault as fault:
        raise Unusable(faults.verdict(fault, stub)[1]) from fault
    except training.TrainingFailed as problem:
        raise Unusable(faults.bilingual(faults.UNTRAINED, stub=stub, text=str(problem))) from problem
    except NOT_FIT as problem:
        told = f"{type(problem).__name__}: {problem}"[:MAX_TEXT]
        raise Unusable(faults.bilingual(faults.UNTRAINED, stub=stub, text=told)) from problem


def across(part: Callable[..., Any], device: str) -> Callable[..., Any]:
    """A function of a contestant, which sees no graphics card, for tensors of ``device``; so is what it makes."""

    def back(answer: Any) -> Any:
        if isinstance(answer, Tensor):
            return answer.to(device)
        if isinstance(answer, (tuple, list)):
            return type(answer)(back(each) for each in answer)
        return across(answer, device) if callable(answer) else answer

    def call(*arguments: Any, **options: Any) -> Any:
        return back(part(*(each.cpu() if isinstance(each, Tensor) else each for each in arguments), **options))

    return call


def load_weights(training: Any, row: Any, profile: str, parts: dict[str, Any], trained: Any) -> nn.Module:
    """The reference's model with the weights handed back: the same names, shapes and types, all finite.

    Raises:
        Unusable: they do not fit, or are not finite.
    """
    state = trained.get("state") if isinstance(trained, dict) else None
    model: nn.Module = training.new_model(row.id, profile, parts)
    wanted = model.state_dict()
    problem = ""
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        problem = "no weights"
    elif odd := sorted(set(wanted) ^ set(state)):
        problem = odd[0]
    else:
        for name, value in wanted.items():
            given = state[name]
            if given.shape != value.shape or given.dtype != value.dtype or not bool(torch.isfinite(given).all()):
                problem = name
                break
    if problem:
        raise _unfit(row, problem)
    assert isinstance(state, dict)
    model.load_state_dict({name: value.detach() for name, value in state.items()})
    return model


def _unfit(row: Any, name: str) -> Unusable:
    return Unusable(faults.bilingual(faults.WEIGHTS, stub=row.stubs[0], text=name))


def _curves(trained: Any) -> dict[str, list[float]]:
    """The curves handed back, as far as they are lists of finite numbers; they are drawn, never judged."""
    curves = trained.get("curves") if isinstance(trained, dict) else None
    if not isinstance(curves, dict):
        return {}
    return {
        name: [float(value) for value in values]
        for name in ("train_loss", "val_loss", "val_accuracy")
        if isinstance(values := curves.get(name), list)
        and len(values) <= 10_000
        and all(isinstance(value, (int, float)) and abs(value) < 1e12 for value in values)
    }


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an npz without pickles."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()
