"""The store of real data: archives in, arrays out, and nothing bad in between."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import http.server
import importlib.util
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from PIL import Image

from autograder import archives
from autograder.archives import CLASSES, StoreError
from autograder.assignment import ROOT, load
from autograder.store import (
    DOWNLOADS,
    WEIGHTS,
    Download,
    add_parser,
    fetch,
    fetch_weights,
    import_dataset,
    main,
    status,
)

datasets: Any = load("hw1").module("datasets")

ROLE = {name: role for role, name in datasets.REAL.items()}
COUNTS = {"train": 30, "test": 20}
SHARED = ROOT.parent / "shared" / "data"

real_files = pytest.mark.skipif(not SHARED.is_dir(), reason="no real files beside the checkout, in ../shared/data")


def pixels(split: str, side: int = 32) -> Any:
    """Random colour images (N, 3, side, side) and labels (N,) in which every class occurs."""
    rng = np.random.default_rng(len(split))
    count = COUNTS[split]
    return rng.integers(0, 256, (count, 3, side, side), dtype=np.uint8), rng.permutation(np.arange(count) % 10)


# --- sources, each in the format of the real one ---------------------------------------------------------------


def mat_files(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for split in COUNTS:
        images, labels = pixels(split)
        save_mat(folder / f"{split}_32x32.mat", images, np.where(labels == 0, 10, labels))
    return folder


def save_mat(path: Path, images: Any, labels: Any) -> None:
    arrays = {"X": images.transpose(2, 3, 1, 0), "y": labels.astype(np.uint8)[:, None]}
    scipy.io.savemat(path, arrays, do_compression=True)


def idx(array: Any) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + bytes(array.astype(np.uint8).tobytes())


def idx_files(folder: Path, zipped: bool = True) -> Path:
    folder.mkdir(parents=True)
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = pixels(split, 28)
        for kind, array in (("images-idx3", images[:, 0]), ("labels-idx1", labels)):
            data = idx(array)
            path = folder / f"{prefix}-{kind}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(data) if zipped else data)
    return folder


def raw_idx_files(folder: Path) -> Path:
    return idx_files(folder, zipped=False)


def class_folders(folder: Path, names: tuple[str, ...] = CLASSES["cifar10"], side: int = 32) -> Path:
    for split in COUNTS:
        for i, (image, label) in enumerate(zip(*pixels(split, side), strict=True)):
            path = folder / split / names[label] / f"{i:04}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(path)
    return folder


def class_zips(folder: Path) -> Path:
    """train.zip and test.zip with the class folders at their top."""
    class_folders(folder / "unzipped")
    for split in COUNTS:
        shutil.make_archive(str(folder / split), "zip", folder / "unzipped" / split)
    shutil.rmtree(folder / "unzipped")
    return folder


def one_zip(folder: Path) -> Path:
    """A zip with train/<class>/ and test/<class>/ below a folder, and what macOS adds."""
    class_folders(folder / "unzipped" / "cifar")
    (folder / "unzipped" / "__MACOSX").mkdir()
    (folder / "unzipped" / "__MACOSX" / "._0000.png").write_bytes(b"\0\5\x16\7")
    return Path(shutil.make_archive(str(folder / "images"), "zip", folder / "unzipped"))


def python2_batch(rows: Any, labels: Any) -> bytes:
    """A batch as Python 2 pickled the official ones: protocol 2, texts as byte strings."""

    def text(data: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(data)) + data

    def number(n: int) -> bytes:
        return b"J" + struct.pack("<i", n)

    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\0K\1\x87R(K\3"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    )
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + text(b"b") + b"\x87R"
    array = (
        empty + b"(K\1" + number(len(rows)) + number(3072) + b"\x86" + dtype + b"\x89" + text(rows.tobytes()) + b"tb"
    )
    listed = b"](" + b"".join(number(int(k)) for k in labels) + b"e"
    name = text(b"batch_label") + text(b"a batch")
    return b"\x80\x02}(" + name + text(b"data") + array + text(b"labels") + listed + b"u."


def python3_batch(rows: Any, labels: Any) -> bytes:
    return pickle.dumps({b"data": rows, b"labels": labels.tolist()}, protocol=4)


def binary_batch(rows: Any, labels: Any) -> bytes:
    return bytes(np.concatenate([labels[:, None].astype(np.uint8), rows], axis=1).tobytes())


def batch_files(form: Callable[[Any, Any], bytes]) -> dict[str, bytes]:
    """The members of a CIFAR-10 tarball."""
    suffix = ".bin" if form is binary_batch else ""
    files: dict[str, bytes] = {}
    for split, names in (("train", [f"data_batch_{i}" for i in range(1, 6)]), ("test", ["test_batch"])):
        images, labels = pixels(split)
        parts = zip(np.split(images.reshape(-1, 3072), len(names)), np.split(labels, len(names)), strict=True)
        files |= {name + suffix: form(*part) for name, part in zip(names, parts, strict=True)}
    return files


def tarball(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def python2_tarball(folder: Path) -> Path:
    return tarball(folder / "cifar-10-python.tar.gz", batch_files(python2_batch))


def python3_tarball(folder: Path) -> Path:
    return tarball(folder / "cifar-10-python.tar.gz", batch_files(python3_batch))


def binary_tarball(folder: Path) -> Path:
    return tarball(folder / "cifar-10-binary.tar.gz", batch_files(binary_batch))


def unpacked_batches(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in batch_files(python2_batch).items():
        (folder / name).write_bytes(data)
    return folder


SOURCES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "mat": (mat_files, "svhn"),
    "idx": (idx_files, "mnist"),
    "raw idx": (raw_idx_files, "mnist"),
    "folders": (class_folders, "cifar10"),
    "zips": (class_zips, "cifar10"),
    "one zip": (one_zip, "cifar10"),
    "Python 2 tarball": (python2_tarball, "cifar10"),
    "Python 3 tarball": (python3_tarball, "cifar10"),
    "binary tarball": (binary_tarball, "cifar10"),
    "unpacked batches": (unpacked_batches, "cifar10"),
}


def expected(name: str, split: str, in_folders: bool) -> tuple[Any, Any]:
    images, labels = pixels(split, 28 if name == "mnist" else 32)
    if name == "mnist":
        images = np.pad(images[:, :1], ((0, 0), (0, 0), (2, 2), (2, 2))).repeat(3, axis=1)
    order = np.lexsort((np.arange(len(labels)), labels)) if in_folders else slice(None)
    return images[order], labels[order]


# --- importing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", SOURCES)
@pytest.mark.parametrize("named", [True, False])
def test_each_format_arrives_as_it_was(tmp_path: Path, form: str, named: bool) -> None:
    make, name = SOURCES[form]
    store = tmp_path / "store"
    manifest = import_dataset(name if named else None, make(tmp_path / "source"), store)
    assert (manifest.name, manifest.status, manifest.counts) == (name, "imported", COUNTS)
    for split in COUNTS:
        stored = datasets.load(ROLE[name], split, store)
        images, labels = expected(name, split, in_folders="zip" in form or form == "folders")
        assert np.array_equal(stored.pixels, images)
        assert np.array_equal(stored.labels, labels)
    assert [row.status for row in status(store, verify=True) if row.name == name] == ["imported"]


@pytest.mark.parametrize("name", ["svhn", "mnist"])
def test_digits_may_come_as_folders_of_images(tmp_path: Path, name: str) -> None:
    source = class_folders(tmp_path / "source", tuple("0123456789"), side=28 if name == "mnist" else 32)
    with pytest.raises(StoreError, match="could be svhn or mnist; say which"):
        import_dataset(None, source, tmp_path / "store")
    import_dataset(name, source, tmp_path / "store")
    stored = datasets.load(ROLE[name], "test", tmp_path / "store")
    assert len(stored) == COUNTS["test"]
    assert np.array_equal(np.unique(stored.labels), np.arange(10))


def test_the_kit_and_the_homework_name_the_classes_alike() -> None:
    assert {name: datasets.CLASS_NAMES[name] for name in CLASSES} == CLASSES


@pytest.mark.parametrize("form", ["mat", "idx", "raw idx", "Python 2 tarball", "unpacked batches"])
def test_published_bytes_are_verified(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, name = SOURCES[form]
    source = make(tmp_path / "source")
    sums: dict[str, set[str]] = {"train": set(), "test": set()}
    with archives.open_archive(source, name):
        for path in [source] if source.is_file() else source.iterdir():
            data = path.read_bytes()
            if path.name.endswith("ubyte.gz"):
                data = gzip.decompress(data)
            sums["test" if "t10k" in path.name or "test" in path.name else "train"].add(hashlib.md5(data).hexdigest())
    if form == "Python 2 tarball":
        monkeypatch.setattr(archives, "CIFAR10_TARBALLS", sums["train"])
    else:
        monkeypatch.setitem(archives.PUBLISHED, name, sums)
    assert import_dataset(name, source, tmp_path / "store").status == "verified"
    # Copied, not made anew: a .mat file and a tarball tell the second they were made in.
    again = shutil.copytree(tmp_path / "source", tmp_path / "again") / source.relative_to(tmp_path / "source")
    assert import_dataset(name, again, tmp_path / "store").status == "verified"

    monkeypatch.setattr(archives, "CIFAR10_TARBALLS", set())
    monkeypatch.setitem(archives.PUBLISHED, name, {**sums, "test": {"another"}})
    assert import_dataset(name, source, tmp_path / "store").status == "imported"


def torchvision_mnist(folder: Path) -> Path:
    """What torchvision leaves behind: the files as they came, and unzipped beside them."""
    idx_files(folder)
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    return folder


def torchvision_cifar10(folder: Path) -> Path:
    python2_tarball(folder)
    unpacked_batches(folder / "cifar-10-batches-py")
    return folder


@pytest.mark.parametrize(("name", "make"), [("mnist", torchvision_mnist), ("cifar10", torchvision_cifar10)])
def test_a_file_may_be_there_twice_as_torchvision_leaves_it(
    tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path / "source")
    assert import_dataset(name, source, tmp_path / "store").counts == COUNTS


# --- faults ----------------------------------------------------------------------------------------------------


def cut(path: Path, part: float = 0.6) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def bad_mat(images: Any = None, labels: Any = None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        mat_files(folder)
        good_images, good_labels = pixels("test")
        save_mat(
            folder / "test_32x32.mat",
            good_images if images is None else images,
            good_labels + 1 if labels is None else labels,
        )
        return folder

    return make


def mat_with(folder: Path, **arrays: Any) -> None:
    images, _ = pixels("test")
    scipy.io.savemat(folder / "test_32x32.mat", {"X": images.transpose(2, 3, 1, 0), **arrays})


def bad_idx(name: str, array: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        idx_files(folder)
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
        return folder

    return make


def changed(make: Callable[[Path], Path], change: Callable[[Path], object]) -> Callable[[Path], Path]:
    def made(folder: Path) -> Path:
        source = make(folder)
        change(source)
        return source

    return made


def batches_with(form: Callable[[Any, Any], bytes], **files: bytes | None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        members = batch_files(form) | {key.replace("_bin", ".bin"): data for key, data in files.items() if data}
        for key in [key for key, data in files.items() if data is None]:
            del members[key]
        return tarball(folder / "cifar-10.tar.gz", members)

    return make


ONES = np.ones(20, np.int64)
RAW = np.zeros((20, 3072), np.uint8)
TENS = np.arange(20) % 11


def with_test_batch(data: bytes) -> Callable[[Path], Path]:
    return batches_with(python2_batch, test_batch=data)


def empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"0")


def a_cat(source: Path) -> Path:
    return next((source / "test" / "cat").iterdir())


FAULTS: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "no such path": ("svhn", lambda folder: folder, "source: no such file"),
    "empty folder": ("svhn", empty_folder, "source: there is no svhn in it"),
    "another dataset": ("mnist", mat_files, "source: there is no mnist in it"),
    "single file": ("svhn", lambda folder: mat_files(folder) / "train_32x32.mat", "give the folder"),
    "mat: cut": ("svhn", changed(mat_files, lambda s: cut(s / "test_32x32.mat")), "test_32x32.mat: damaged"),
    "mat: test missing": (
        "svhn",
        changed(mat_files, lambda s: (s / "test_32x32.mat").unlink()),
        "test_32x32.mat is missing",
    ),
    "mat: no X": (
        "svhn",
        changed(mat_files, lambda s: scipy.io.savemat(s / "test_32x32.mat", {"Z": 1})),
        "no X and y",
    ),
    "mat: label 11": ("svhn", bad_mat(labels=TENS + 1), "test_32x32.mat: has the label 11"),
    "mat: label 0": ("svhn", bad_mat(labels=TENS % 10), "test_32x32.mat: has the label 0"),
    "mat: size": ("svhn", bad_mat(images=pixels("test", 28)[0]), r"test_32x32.mat: X is uint8 \(28, 28, 3, 20\)"),
    "mat: floats": ("svhn", bad_mat(images=pixels("test")[0] / 255), "test_32x32.mat: X is float64"),
    "mat: unequal": ("svhn", bad_mat(labels=np.arange(19) % 10 + 1), "test_32x32.mat: 20 images, but 19 labels"),
    "mat: label 1.5": (
        "svhn",
        changed(mat_files, lambda s: mat_with(s, y=np.full((20, 1), 1.5))),
        "no whole numbers",
    ),
    "mat: twice": (
        "svhn",
        changed(mat_files, lambda s: save_mat(s / "test_32x32 (1).mat", *pixels("train"))),
        r"test_32x32 \(1\).mat and .*test_32x32.mat differ",
    ),
    "mat: train for test": (
        "svhn",
        changed(mat_files, lambda s: shutil.copy(s / "train_32x32.mat", s / "test_32x32.mat")),
        "test images are training images too",
    ),
    "mat: full numbers": (
        "svhn",
        changed(mat_files, lambda s: (s / "test_32x32.mat").write_bytes(b"MATLAB 7.3 MAT-file" + b" " * 600)),
        r"the cropped digits \(format 2\)",
    ),
    "mat: class missing": ("svhn", bad_mat(labels=ONES), "test_32x32.mat: has no image of class 0"),
    "idx: cut": (
        "mnist",
        changed(raw_idx_files, lambda s: cut(s / "t10k-images-idx3-ubyte")),
        "header promises 15696",
    ),
    "idx: cut gz": ("mnist", changed(idx_files, lambda s: cut(s / "t10k-images-idx3-ubyte.gz")), "ubyte.gz: damaged"),
    "idx: longer": ("mnist", changed(raw_idx_files, lambda s: lengthen(s / "t10k-labels-idx1-ubyte")), "29 bytes"),
    "idx: missing": (
        "mnist",
        changed(idx_files, lambda s: (s / "t10k-labels-idx1-ubyte.gz").unlink()),
        "test labels is missing",
    ),
    "idx: label": ("mnist", bad_idx("t10k-labels-idx1", TENS), "t10k-labels-idx1-ubyte.gz: has the label 10"),
    "idx: unequal": ("mnist", bad_idx("t10k-labels-idx1", TENS[:10]), "20 images, but 10 labels"),
    "idx: size": ("mnist", bad_idx("t10k-images-idx3", np.zeros((20, 20, 20))), "images of 20x20"),
    "idx: twice": (
        "mnist",
        changed(torchvision_mnist, lambda s: cut(s / "t10k-labels-idx1-ubyte")),
        "t10k-labels-idx1-ubyte and .*t10k-labels-idx1-ubyte.gz differ",
    ),
    "zip: cut": ("cifar10", changed(class_zips, lambda s: cut(s / "test.zip")), "test.zip: damaged"),
    "zip: missing": ("cifar10", changed(class_zips, lambda s: (s / "test.zip").unlink()), "folder test is missing"),
    "folders: class": (
        "cifar10",
        changed(class_folders, lambda s: (s / "test" / "cat").rename(s / "test" / "lion")),
        "'lion' is none",
    ),
    "folders: class missing": (
        "cifar10",
        changed(class_folders, lambda s: shutil.rmtree(s / "test" / "cat")),
        "no image of class 3",
    ),
    "folders: split": (
        "cifar10",
        changed(class_folders, lambda s: (s / "test").rename(s / "val")),
        r"val/.*\.png: images should lie in",
    ),
    "folders: size": ("cifar10", lambda folder: class_folders(folder, side=31), r"\.png: 31x31 pixels"),
    "folders: no image": (
        "cifar10",
        changed(class_folders, lambda s: a_cat(s).write_bytes(b"?")),
        r"cat/\d+\.png: damaged",
    ),
    "folders: cut image": ("cifar10", changed(class_folders, lambda s: cut(a_cat(s))), r"cat/\d+\.png: damaged"),
    "tar: cut": ("cifar10", changed(python2_tarball, cut), "cifar-10-python.tar.gz: damaged"),
    "tar: missing batch": ("cifar10", batches_with(python2_batch, data_batch_3=None), "data_batch_3 is missing"),
    "tar: a batch twice": (
        "cifar10",
        batches_with(python2_batch, data_batch_3=batch_files(python2_batch)["data_batch_1"]),
        "data_batch_3: is the same as .*data_batch_1",
    ),
    "tar: label": ("cifar10", with_test_batch(python2_batch(RAW, TENS)), "has the label 10"),
    "tar: unequal": ("cifar10", with_test_batch(python2_batch(RAW, TENS[:10])), "20 images, but 10 labels"),
    "tar: size": ("cifar10", with_test_batch(python2_batch(RAW[:, :3000], TENS)), "test_batch: not a CIFAR-10"),
    "tar: floats": ("cifar10", with_test_batch(python3_batch(RAW / 1.0, TENS)), "test_batch: not a CIFAR-10"),
    "tar: no pickle": ("cifar10", with_test_batch(b"hello"), "test_batch: not a CIFAR-10"),
    "tar: no dictionary": ("cifar10", with_test_batch(pickle.dumps([1])), "test_batch: not a CIFAR-10"),
    "tar: labels no numbers": (
        "cifar10",
        with_test_batch(pickle.dumps({b"data": b"", b"labels": ["x"]})),
        "test_batch: not",
    ),
    "tar: binary cut": (
        "cifar10",
        batches_with(binary_batch, test_batch_bin=b"\0" * 3072),
        "should be a multiple of 3073",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_is_refused_in_one_line_and_changes_nothing(tmp_path: Path, fault: str) -> None:
    name, make, told = FAULTS[fault]
    source, store = make(tmp_path / "source"), tmp_path / "store"
    with pytest.raises(StoreError, match=told) as caught:
        import_dataset(name, source, store)
    assert "\n" not in str(caught.value)
    assert [row.status for row in status(store)] == ["missing"] * 3
    assert not store.exists() or [path.name for path in store.iterdir()] == [".lock"]


@pytest.mark.parametrize("form", ["mat", "raw idx", "idx", "zips", "Python 2 tarball", "binary tarball"])
def test_no_truncation_passes(tmp_path: Path, form: str) -> None:
    make, name = SOURCES[form]
    source = make(tmp_path / "source")
    path = source if source.is_file() else sorted(source.iterdir())[0]
    whole = path.read_bytes()
    for length in {0, 1, 4, 8, 127, 128, 200, *range(500, len(whole) - 100, len(whole) // 17), len(whole) - 9}:
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError):
            import_dataset(name, source, tmp_path / "store")


@pytest.mark.parametrize(
    "evil",
    [
        b"cos\nsystem\n(S'touch {}'\ntR.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c" + b"\x09" + b"touch {}!" + b"\x85R.",
        b'cbuiltins\nexec\n(S\'open("{}", "w")\'\ntR.',
        b"cnumpy\nload\n(S'{}'\ntR.",
        b"c_codecs\nencode\n(S'{}'\ntR.",
    ],
)
def test_a_pickle_that_calls_anything_is_refused_before_the_call(tmp_path: Path, evil: bytes) -> None:
    mark = tmp_path / "mark"
    data = evil.replace(b"{}", str(mark).encode()) if b"\x09" not in evil else evil
    files = batch_files(python2_batch) | {"data_batch_1": data}
    with pytest.raises(StoreError, match=r"data_batch_1: not a CIFAR-10 batch \(it asks for "):
        import_dataset("cifar10", tarball(tmp_path / "cifar.tar.gz", files), tmp_path / "store")
    assert not mark.exists()


@pytest.mark.parametrize("form", ["mat", "idx", "unpacked batches"])
def test_a_published_file_under_the_other_splits_name_is_found(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, name = SOURCES[form]
    source = make(tmp_path / "source")
    with archives.open_archive(source, name) as archive:
        assert not archive.read("test").genuine
    wrong = next(path for path in sorted(source.iterdir()) if "t10k" in path.name or "test" in path.name)
    data = gzip.decompress(wrong.read_bytes()) if wrong.suffix == ".gz" else wrong.read_bytes()
    monkeypatch.setitem(archives.PUBLISHED, name, {"train": {hashlib.md5(data).hexdigest()}, "test": set()})
    with pytest.raises(StoreError, match=f"{wrong.name}: by its name of the test split, but it is a published train"):
        import_dataset(name, source, tmp_path / "store")


# --- replacing, interrupting -----------------------------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_dataset_is_replaced_by_a_good_one_only(tmp_path: Path) -> None:
    store = tmp_path / "store"
    import_dataset("mnist", idx_files(tmp_path / "first"), store)
    before = contents(store / "mnist")
    with pytest.raises(StoreError):
        import_dataset("mnist", FAULTS["idx: label"][1](tmp_path / "bad"), store)
    assert contents(store / "mnist") == before
    images, _ = pixels("test", 28)
    better = bad_idx("t10k-images-idx3", 255 - images[:, 0])(tmp_path / "better")
    import_dataset("mnist", better, store)
    assert contents(store / "mnist") != before
    assert np.array_equal(datasets.load("target", "test", store).pixels[:, 1, 2:30, 2:30], 255 - images[:, 0])
    assert sorted(path.name for path in store.iterdir()) == [".lock", "mnist"]


def test_an_import_that_is_killed_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    source, store = class_folders(tmp_path / "source"), tmp_path / "store"
    code = (
        "import os, sys; from pathlib import Path; from autograder.store import import_dataset\n"
        "def die(what, done, total):\n"
        "    if 'test' in what: os._exit(9)\n"
        "import_dataset('cifar10', Path(sys.argv[1]), Path(sys.argv[2]), die)"
    )
    run = subprocess.run([sys.executable, "-c", code, source, store], cwd=ROOT, check=False)
    assert run.returncode == 9
    assert list(store.glob(".cifar10.*.tmp/train_pixels.npy")), "it should have been killed half-way"
    assert [row.status for row in status(store)] == ["missing"] * 3
    with pytest.raises(datasets.DataMissing):
        datasets.load("objects", "train", store)
    import_dataset("cifar10", source, store)
    assert sorted(path.name for path in store.iterdir()) == [".lock", "cifar10"]


READER = """
import sys
from pathlib import Path
import numpy as np
from hw1 import datasets
store = Path(sys.argv[1])
seen = set()
print("ready", flush=True)
while not (store / "enough").exists():
    images = datasets.load("target", "test", store)
    corner = images.pixels[:, 0, 10, 10].astype(int) - images.labels
    assert np.ptp(corner) == 0, "images of one dataset, labels of another"
    seen.add(int(corner[0]))
print(sorted(seen))
"""


@pytest.mark.parametrize("exchange", [True, False])
def test_many_read_while_another_replaces(tmp_path: Path, exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, store = [], tmp_path / "store"
    for version in (0, 100):  # a pixel tells which dataset an image is of, and which label it should have
        sources.append(raw_idx_files(tmp_path / str(version)))
        images, labels = pixels("test", 28)
        labels = labels if version else labels[::-1].copy()
        images[:, 0, 8, 8] = labels + version
        (sources[-1] / "t10k-images-idx3-ubyte").write_bytes(idx(images[:, 0]))
        (sources[-1] / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    import_dataset("mnist", sources[1], store)
    if not exchange:
        monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    command = [sys.executable, "-c", READER, str(store)]
    place = ROOT / "solutions"
    readers = [subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        assert [reader.stdout.readline() for reader in readers if reader.stdout] == ["ready\n"] * 3
        for i in range(20):
            import_dataset("mnist", sources[i % 2], store)
    finally:
        (store / "enough").touch()
        told = [reader.communicate()[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * 3
    assert "[0, 100]\n" in told
    assert [row.status for row in status(store, verify=True)] == ["missing", "imported", "missing"]
    assert not list(store.glob("*.tmp"))


def test_a_dataset_on_another_disk_can_be_replaced(tmp_path: Path) -> None:
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    source = idx_files(tmp_path / "source")
    import_dataset("mnist", source, store)
    shutil.move(store / "mnist", elsewhere)
    (store / "mnist").symlink_to(elsewhere)
    for _ in range(2):
        import_dataset("mnist", source, store)
        assert [row.status for row in status(store, verify=True)] == ["missing", "imported", "missing"]
    assert (elsewhere / "manifest.json").exists()


def test_a_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StoreError, match="store: cannot be written"):
        import_dataset("mnist", idx_files(tmp_path / "source"), tmp_path / "store")


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_others_may_read_the_store(tmp_path: Path) -> None:
    import_dataset("mnist", idx_files(tmp_path / "source"), tmp_path / "store")
    assert (tmp_path / "store" / "mnist").stat().st_mode & 0o555 == 0o555


# --- status ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["train_pixels.npy", "test_labels.npy", "manifest.json"])
@pytest.mark.parametrize("part", [0.0, 0.5])
def test_a_half_written_store_is_found(tmp_path: Path, file: str, part: float) -> None:
    import_dataset("mnist", idx_files(tmp_path / "source"), tmp_path / "store")
    cut(tmp_path / "store" / "mnist" / file, part)
    row = status(tmp_path / "store")[1]
    assert (row.status, file in row.fault) == ("damaged", True)
    with pytest.raises(
        datasets.DataMissing, match=r"mnist in .* is damaged\. To replace it: python -m autograder data"
    ):
        datasets.load("target", file[: file.index("_")] if "_" in file else "test", tmp_path / "store")


@pytest.mark.parametrize("file", ["train_pixels.npy", "test_labels.npy", "manifest.json"])
def test_status_finds_what_was_removed(tmp_path: Path, file: str) -> None:
    import_dataset("mnist", idx_files(tmp_path / "source"), tmp_path / "store")
    (tmp_path / "store" / "mnist" / file).unlink()
    row = status(tmp_path / "store")[1]
    assert (row.status, file in row.fault) == ("damaged", True)


def test_status_finds_a_changed_byte_when_asked_to_verify(tmp_path: Path) -> None:
    import_dataset("mnist", idx_files(tmp_path / "source"), tmp_path / "store")
    path = tmp_path / "store" / "mnist" / "test_pixels.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert status(tmp_path / "store")[1].status == "imported"
    row = status(tmp_path / "store", verify=True)[1]
    assert (row.status, "test_pixels.npy" in row.fault) == ("damaged", True)


# --- fetching --------------------------------------------------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder; ``breaks`` is how many answers are to break off half-way, ``ranges`` what was asked for."""

    folder: Path
    breaks = 0
    resumable = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.ranges: list[str | None] = []

    def serve_forever(self, poll_interval: float = 0.01) -> None:
        super().serve_forever(poll_interval)  # the default would keep every test waiting for half a second

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.server.folder / self.path.lstrip("/")
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if not path.is_file():
            self.send_error(404)
            return
        data, start = path.read_bytes(), 0
        if asked and self.server.resumable:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = len(data)
        if self.server.breaks:
            self.server.breaks -= 1
            end = (start + end) // 2
        self.wfile.write(data[start:end])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server() as server:
        server.folder = idx_files(tmp_path / "served")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def downloads(folder: Path, *bases: str) -> list[Download]:
    """What there is to fetch of a folder."""
    return [Download(path.name, archives.md5(path), bases) for path in sorted(folder.iterdir())]


def test_fetch_brings_a_dataset_into_the_store(tmp_path: Path, server: Server) -> None:
    seen: list[tuple[str, int, int]] = []
    files = downloads(server.folder)
    manifest = fetch("mnist", tmp_path / "store", lambda *p: seen.append(p), mirror=server.address, files=files)
    assert (manifest.name, manifest.counts) == ("mnist", COUNTS)
    assert status(tmp_path / "store", verify=True)[1].status == "imported"
    assert {what for what, _, _ in seen} == {file.file for file in files}
    assert all(0 < done <= total for _, done, total in seen)
    assert not (tmp_path / "store" / ".downloads" / "mnist").exists()


def test_the_addresses_and_sums_are_torchvisions() -> None:
    """Read, not imported: a torchvision that was built for another torch cannot be."""
    root = Path(next(iter(importlib.util.find_spec("torchvision").submodule_search_locations)))  # type: ignore[union-attr, arg-type]
    text = {name: (root / file).read_text() for name, file in THEIRS.items()}
    for name, files in DOWNLOADS.items():
        for file in files:
            assert file.checksum in text[name]
            for base in file.bases:
                assert f"{base}{file.file}" in text[name] or base in text[name]
    for name in CLASSES:
        if name != "mnist":  # of its files torchvision tells the sums zipped alone
            assert all(known in text[name] for split in COUNTS for known in archives.PUBLISHED[name][split])
    assert WEIGHTS["imagenet"].bases[0] + WEIGHTS["imagenet"].file in text["imagenet"]


THEIRS = {
    "svhn": "datasets/svhn.py",
    "mnist": "datasets/mnist.py",
    "cifar10": "datasets/cifar.py",
    "imagenet": "models/resnet.py",
}


def test_what_is_there_and_verified_is_not_fetched_again(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = downloads(server.folder, server.address + "/")
    raw = [gzip.decompress((server.folder / file.file).read_bytes()) for file in files]
    sums = {"test": raw[:2], "train": raw[2:]}
    known = {split: {hashlib.md5(data).hexdigest() for data in sums[split]} for split in sums}
    monkeypatch.setitem(archives.PUBLISHED, "mnist", known)
    for _ in range(2):
        assert fetch("mnist", tmp_path / "store", files=files).status == "verified"
    assert len(server.ranges) == len(files)
    cut(tmp_path / "store" / "mnist" / "test_pixels.npy")
    assert fetch("mnist", tmp_path / "store", files=files).status == "verified"
    assert len(server.ranges) == 2 * len(files)


def test_two_that_fetch_at_once_download_once(tmp_path: Path, server: Server, published: Path) -> None:
    store = tmp_path / "store"
    threads = [threading.Thread(target=fetch_weights, args=("imagenet", store)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ranges == [None]
    assert (store / "weights" / published.name).read_bytes() == published.read_bytes()


def test_what_cannot_be_had_does_not_keep_the_rest_away(
    tmp_path: Path,
    server: Server,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mnist = tuple(file for file in downloads(server.folder, server.address + "/") if file.file != published.name)
    nowhere = (Download("train_32x32.mat", "0" * 32, ("http://127.0.0.1:1/",)),)
    for name, files in {"svhn": nowhere, "mnist": mnist, "cifar10": nowhere}.items():
        monkeypatch.setitem(DOWNLOADS, name, files)
    assert data("fetch", "--store", tmp_path / "store") == 2
    captured = capsys.readouterr()
    assert [line.split(".mat")[0] for line in captured.err.splitlines()] == [
        "data: http://127.0.0.1:1/train_32x32"
    ] * 2
    assert [row.status for row in status(tmp_path / "store")] == ["missing", "imported", "missing"]
    assert "imagenet" in captured.out

    monkeypatch.setitem(DOWNLOADS, "mnist", nowhere)
    assert data("fetch", "svhn", "mnist", "cifar10", "--store", tmp_path / "other") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("; nor can mnist, cifar10 be had\n")


@pytest.mark.parametrize("resumable", [True, False])
def test_a_download_goes_on_where_it_broke_off(tmp_path: Path, server: Server, resumable: bool) -> None:
    server.breaks, server.resumable = 1, resumable
    files = downloads(server.folder, server.address + "/")
    with pytest.raises(StoreError, match=r"broke off after \d+ of \d+ bytes.* Run the command again to go on"):
        fetch("mnist", tmp_path / "store", files=files)
    assert fetch("mnist", tmp_path / "store", files=files).counts == COUNTS
    half = (server.folder / files[0].file).stat().st_size // 2
    assert server.ranges == [None, f"bytes={half}-", None, None, None]


@pytest.fixture
def published(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands for published weights, on the server."""
    file = server.folder / "resnet18.pth"
    file.write_bytes(bytes(range(256)) * 40)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setitem(WEIGHTS, "imagenet", Download(file.name, sha256, (server.address + "/",)))
    return file


def test_weights_are_fetched_once_and_go_on_where_they_broke_off(
    tmp_path: Path, server: Server, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    server.breaks = 1
    assert data("fetch", "imagenet", "--store", store) == 2
    assert "broke off" in capsys.readouterr().err
    assert data("fetch", "imagenet", "--store", store) == 0
    assert (store / "weights" / published.name).read_bytes() == published.read_bytes()
    assert server.ranges == [None, "bytes=5120-"]
    assert data("fetch", "imagenet", "--store", store) == 0
    assert len(server.ranges) == 2
    assert "verified" in capsys.readouterr().out
    assert not (store / ".downloads" / "imagenet").exists()


def test_weights_are_imported_when_they_are_the_published_ones(
    tmp_path: Path, published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, wrong = tmp_path / "store", tmp_path / "wrong.pth"
    wrong.write_bytes(b"something else")
    for path in (wrong, tmp_path / "nowhere.pth"):
        assert data("import", path, "--name", "imagenet", "--store", store) == 2
        assert str(path) in capsys.readouterr().err
    assert not (store / "weights" / published.name).exists()
    assert data("import", published, "--name", "imagenet", "--store", store) == 0
    assert (store / "weights" / published.name).read_bytes() == published.read_bytes()
    weights = tmp_path / "all" / "weights"
    weights.mkdir(parents=True)
    shutil.copy(published, weights)
    for known in (published, tmp_path / "all"):  # by its name
        assert data("import", known, "--store", tmp_path / "other") == 0
    idx_files(tmp_path / "all" / "mnist")
    assert data("import", tmp_path / "all", "--store", tmp_path / "whole") == 0
    assert (tmp_path / "whole" / "weights" / published.name).exists()
    assert status(tmp_path / "whole")[1].status == "imported"
    (store / "weights" / published.name).write_bytes(b"damaged since")
    assert data("status", "--store", store) == 2
    assert "is not the published file" in capsys.readouterr().err


def test_a_download_that_came_whole_but_unnamed_is_not_asked_for_again(tmp_path: Path, server: Server) -> None:
    files = downloads(server.folder, server.address + "/")
    folder = tmp_path / "store" / ".downloads" / "mnist"
    folder.mkdir(parents=True)
    shutil.copy(server.folder / files[0].file, folder / f"{files[0].file}.part")
    assert fetch("mnist", tmp_path / "store", files=files).counts == COUNTS


def test_another_file_of_that_name_is_refused_and_the_next_address_tried(tmp_path: Path, server: Server) -> None:
    good = downloads(server.folder)
    fake = tmp_path / "fake"
    shutil.copytree(server.folder, fake)
    (fake / good[0].file).write_bytes(b"another")
    wrong = fake.as_uri() + "/"
    with pytest.raises(StoreError, match="its MD5 is not") as caught:
        fetch("mnist", tmp_path / "store", files=[Download(f.file, f.checksum, (wrong,)) for f in good])
    assert "\n" not in str(caught.value)
    assert status(tmp_path / "store")[1].status == "missing"
    both = [Download(f.file, f.checksum, (wrong, server.address + "/")) for f in good]
    assert fetch("mnist", tmp_path / "store", files=both).counts == COUNTS


def test_without_a_network_there_is_one_line_with_the_cure(tmp_path: Path) -> None:
    for mirror in ("http://127.0.0.1:1/", "http://no-such-host.invalid/", (tmp_path / "nothing").as_uri()):
        with pytest.raises(StoreError) as caught:
            fetch("svhn", tmp_path / "store", mirror=mirror)
        message = str(caught.value)
        assert "\n" not in message
        assert "train_32x32.mat" in message
        assert "python -m autograder data import PATH --name svhn" in message


# --- command ---------------------------------------------------------------------------------------------------


def data(*arguments: str | Path) -> int:
    """``python -m autograder data ...``"""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", *map(str, arguments)])
    assert args.run is main
    return int(args.run(args))


def test_command_imports_and_tells_the_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert data("import", mat_files(tmp_path / "source"), "--name", "svhn", "--store", store) == 0
    assert "svhn" in capsys.readouterr().out
    mat_files(tmp_path / "all" / "svhn")
    idx_files(tmp_path / "all" / "mnist")
    assert data("import", tmp_path / "all", "--store", store) == 0
    assert data("status", "--verify", "--store", store) == 0
    captured = capsys.readouterr()
    assert captured.out.count("imported") == 4
    assert captured.out.count("missing") == 2  # CIFAR-10, and ImageNet's weights
    assert captured.err == ""


def test_command_tells_faults_in_one_line_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    assert data("import", tmp_path / "nothing", "--store", store) == 2
    assert data("fetch", "imagenet21k", "--store", store) == 2
    assert data("fetch", "mnist", "--mirror", "http://127.0.0.1:1", "--store", store) == 2
    assert data("fetch", "mnist", "--mirror", "no address", "--store", store) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("data: ") for line in lines)
    idx_files(tmp_path / "mnist")
    assert data("import", tmp_path / "mnist", "--store", store) == 0
    (store / "mnist" / "test_labels.npy").unlink()
    assert data("status", "--store", store) == 2
    assert "test_labels.npy" in capsys.readouterr().err


# --- the real files --------------------------------------------------------------------------------------------


@real_files
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "verdict", "counts"),
    [
        ("svhn", "imported", {"train": 4434, "test": 1952}),
        ("mnist", "verified", {"train": 60000, "test": 10000}),
        ("cifar10", "imported", {"train": 50000, "test": 10000}),
    ],
)
def test_the_real_files_are_imported(tmp_path: Path, name: str, verdict: str, counts: dict[str, int]) -> None:
    manifest = import_dataset(name, SHARED / name, tmp_path)
    assert (manifest.status, manifest.counts) == (verdict, counts)
    assert json.loads((tmp_path / name / "manifest.json").read_text())["status"] == verdict
    images = datasets.load(ROLE[name], "train", tmp_path, count=1000)
    assert np.bincount(images.labels).tolist() == [100] * 10
