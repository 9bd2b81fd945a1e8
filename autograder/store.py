"""The store of real datasets: filling it from archives or from the internet, and telling what is in it.

Layout, as `hw1.datasets` reads it::

    <store>/<name>/manifest.json
    <store>/<name>/{train,test}_pixels.npy    (N, 3, 32, 32), uint8
    <store>/<name>/{train,test}_labels.npy    (N,), int64 in [0, 10)
    <store>/weights/<file>                    published weights, as they come

A dataset is written beside its place and then moved there, so a reader finds all of it or what was there before.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import functools
import hashlib
import http.client
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

import numpy as np
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from autograder.archives import CLASSES, COUNTS, SIZE, SPLITS, Progress, Split, StoreError, open_archive
from autograder.results import Record, write_atomically

STORE = Path(__file__).resolve().parents[1] / "datasets_cache"
"""Where the kit keeps real data unless told otherwise."""

ARRAYS = tuple(f"{split}_{kind}.npy" for split in SPLITS for kind in ("pixels", "labels"))

MANIFEST = "manifest.json"


class Manifest(Record):
    """What a stored dataset is and where it came from.

    ``status`` is "verified" if the files it was made from are, byte for byte, the published ones, else "imported".
    ``source`` says in words what it was made from. ``counts`` maps each split to its number of images, ``sha256``
    each array's file to the hash of it. ``date`` is in UTC, fine enough that no two imports write the same manifest:
    by it a reader knows that the arrays it opened belong together.
    """

    name: str
    status: Literal["verified", "imported"]
    source: str
    date: datetime
    counts: dict[str, int]
    sha256: dict[str, str]


@dataclass(frozen=True)
class Row:
    """What the store holds of one dataset.

    Attributes:
        name: the dataset.
        status: "verified" or "imported" as in its manifest, "missing", or "damaged".
        manifest: None if it is missing, or if the manifest is not readable.
        fault: what is damaged, one line, else empty.
    """

    name: str
    status: Literal["verified", "imported", "missing", "damaged"]
    manifest: Manifest | None = None
    fault: str = ""


# --- writing ------------------------------------------------------------------------------------------------


def import_dataset(name: str | None, source: Path, store: Path = STORE, progress: Progress | None = None) -> Manifest:
    """Reads a dataset from an archive or a folder and puts it into the store, in place of an older one.

    Args:
        name: "svhn", "mnist" or "cifar10", or None for whichever the source holds.
        source: a folder, a zip or a tar; see `autograder.archives`.
        store: the store's folder; made if it is not there.
        progress: told of images that are decoded one by one.

    Raises:
        StoreError: the source or a part of it is missing, damaged or mislabelled, or the store cannot be written.
            The store is then as it was.
    """
    with open_archive(source, name, progress) as archive, _new_folder(archive.name, store) as folder:
        counts, genuine = {}, True
        for split in SPLITS:
            content = archive.read(split)
            _save(folder, split, content)
            counts[split], genuine = len(content.labels), genuine and content.genuine
            del content  # before the next one is read: only one split is in memory
        if 2 * _in_both(folder) > counts["test"]:
            raise StoreError(f"{source}: most of the test images are training images too; is one file there twice?")
        manifest = Manifest(
            name=archive.name,
            status="verified" if genuine else "imported",
            source=f"{archive.format} from {source.resolve().name}",
            date=datetime.now(UTC),
            counts=counts,
            sha256={file: _sha256(folder / file) for file in ARRAYS},
        )
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def _save(folder: Path, split: str, content: Split) -> None:
    for kind, array in (("pixels", content.pixels), ("labels", content.labels)):
        with (folder / f"{split}_{kind}.npy").open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave an empty file in a finished folder


def _in_both(folder: Path) -> int:
    """How many of the test images are also training images, pixel by pixel; official ones share a few."""
    sums = [
        [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in np.load(folder / file, mmap_mode="r")]
        for file in ("train_pixels.npy", "test_pixels.npy")
    ]
    train = set(sums[0])
    return sum(image in train for image in sums[1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _new_folder(name: str, store: Path) -> Iterator[Path]:
    """An empty folder that becomes ``<store>/<name>`` if all goes well, and is gone if not.

    What an import that was killed has left behind is cleared away first; a lock keeps imports apart.
    """
    try:
        store.mkdir(parents=True, exist_ok=True)
        with _locked(store / ".lock"):
            for leftover in store.glob(f".{name}.*.tmp"):
                _remove(leftover)
            folder = Path(tempfile.mkdtemp(dir=store, prefix=f".{name}.", suffix=".tmp"))
            folder.chmod(0o755)  # mkdtemp's 0700 would keep a teacher's colleagues out
            try:
                yield folder
                _put(folder, store / name)
            finally:
                if folder.exists():
                    _remove(folder)
    except OSError as problem:
        raise StoreError(f"{store}: cannot be written ({problem})") from problem


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the lock of that file, which is made; waits for whoever holds it."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put(folder: Path, place: Path) -> None:
    """Moves ``folder`` to ``place``; what was there is then at ``folder``. At every moment one of the two is there.

    Where the file system cannot exchange two names at once, there is a moment between two moves.
    """
    if not place.exists():
        folder.rename(place)
        return
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:  # a C library from before 2018
        exchange = None
    here, flag = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if exchange is not None and exchange(here, os.fsencode(folder), here, os.fsencode(place), flag) == 0:
        return
    old = folder.with_name(f".{place.name}.old.tmp")
    place.rename(old)
    try:
        folder.rename(place)
    except OSError:
        old.rename(place)
        raise
    old.rename(folder)


def _remove(path: Path) -> None:
    """Removes a folder, or the link to one: a dataset may have been put on another disk."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path)


# --- looking ------------------------------------------------------------------------------------------------


def status(store: Path = STORE, verify: bool = False) -> list[Row]:
    """One row for every dataset there could be, in the order of `CLASSES`.

    Args:
        store: the store's folder; it need not exist.
        verify: hash every array again and compare with the manifest; without it only shapes are looked at.
    """
    return [_row(name, store / name, verify) for name in CLASSES]


def _row(name: str, folder: Path, verify: bool) -> Row:
    if not folder.is_dir():
        return Row(name, "missing")
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return Row(name, "damaged", fault=f"{folder / MANIFEST} is missing or not readable")
    for file in ARRAYS:
        split, kind = file.removesuffix(".npy").split("_")
        shape = (manifest.counts.get(split), 3, SIZE, SIZE)[: 4 if kind == "pixels" else 1]
        try:
            array = np.load(folder / file, mmap_mode="r", allow_pickle=False)
            good = array.shape == shape and array.dtype == (np.uint8 if kind == "pixels" else np.int64)
            good = good and (not verify or _sha256(folder / file) == manifest.sha256.get(file))
        except (OSError, EOFError, ValueError):
            good = False
        if not good:
            return Row(name, "damaged", manifest, f"{folder / file} is missing or not what was stored")
    return Row(name, manifest.status, manifest)


# --- fetching -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Download:
    """A file to fetch: its name, its MD5 or SHA-256 in hex, and the folders where it may lie, best first."""

    file: str
    checksum: str
    bases: tuple[str, ...]

    def matches(self, path: Path) -> bool:
        """Whether the file at ``path`` has these bytes."""
        with path.open("rb") as file:
            return hashlib.file_digest(file, self.algorithm).hexdigest() == self.checksum

    @property
    def algorithm(self) -> str:
        """What the checksum is made with."""
        return "md5" if len(self.checksum) == 32 else "sha256"


_SVHN = ("http://ufldl.stanford.edu/housenumbers/",)
_MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
_CIFAR10 = ("https://www.cs.toronto.edu/~kriz/",)

DOWNLOADS = {
    "svhn": (
        Download("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", _SVHN),
        Download("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3", _SVHN),
    ),
    "mnist": (
        Download("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", _MNIST),
        Download("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", _MNIST),
        Download("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", _MNIST),
        Download("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", _MNIST),
    ),
    "cifar10": (Download("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", _CIFAR10),),
}
"""Dataset -> its official files; the addresses and sums are also those of torchvision's downloaders."""

WEIGHTS = {
    "imagenet": Download(
        "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        ("https://download.pytorch.org/models/",),
    )
}
"""Published weights -> the file they are in. They are kept as they come, in ``<store>/weights``."""


def fetch(
    name: str,
    store: Path = STORE,
    progress: Progress | None = None,
    *,
    mirror: str | None = None,
    files: Sequence[Download] | None = None,
) -> Manifest:
    """Downloads a dataset's official files, checks their MD5, and imports them.

    A download that was cut off goes on where it stopped when it is asked for again. The files are removed when
    they are in the store. A dataset that is there, verified and whole, is left as it is.

    Args:
        name: "svhn", "mnist" or "cifar10".
        store: the store's folder.
        progress: told of bytes as they come.
        mirror: address of a folder that holds the same files, instead of the official ones.
        files: what to download, instead of the official files.

    Raises:
        StoreError: there is no network, or a file is not the published one.
    """
    if name not in DOWNLOADS:
        raise StoreError(f"{name}: no such dataset; there are {', '.join(DOWNLOADS)}")
    with _downloads(name, store) as folder:
        there = _row(name, store / name, verify=True)
        if there.status == "verified" and there.manifest is not None:
            return there.manifest
        for download in DOWNLOADS[name] if files is None else files:
            _download(name, folder, download, mirror, progress)
        return import_dataset(name, folder, store, progress)


def fetch_weights(
    name: str, store: Path = STORE, progress: Progress | None = None, *, mirror: str | None = None
) -> Row:
    """Downloads published weights, as `fetch` does a dataset; what is there already is left as it is.

    Raises:
        StoreError: there is no network, or the file is not the published one.
    """
    download = WEIGHTS[name]
    with _downloads(name, store) as folder:
        if weights_row(name, store).status != "verified":
            _download(name, folder, download, mirror, progress)
            (store / "weights").mkdir(exist_ok=True)
            (folder / download.file).replace(store / "weights" / download.file)
    return weights_row(name, store)


@contextmanager
def _downloads(name: str, store: Path) -> Iterator[Path]:
    """The folder that downloads of ``name`` go to, for one process at a time; removed if all goes well."""
    folder = store / ".downloads" / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            folder.mkdir(exist_ok=True)
            yield folder
            shutil.rmtree(folder)
    except OSError as problem:
        raise StoreError(f"{folder}: cannot be written ({problem})") from problem


def import_weights(name: str, source: Path, store: Path = STORE) -> Row:
    """Copies published weights from a file that was brought here by other means.

    Raises:
        StoreError: ``source`` is not the published file, or the store cannot be written.
    """
    download = WEIGHTS[name]
    source = source / download.file if source.is_dir() else source
    try:
        if not source.is_file():
            raise StoreError(f"{source}: there is no such file")
        if not download.matches(source):
            raise StoreError(f"{source}: its {download.algorithm.upper()} is not that of {download.file}")
        write_atomically(store / "weights" / download.file, source.read_bytes())
    except OSError as problem:
        raise StoreError(f"{store}: cannot be written ({problem})") from problem
    return weights_row(name, store)


def weights_row(name: str, store: Path = STORE) -> Row:
    """What the store holds of published weights; they are hashed, for that is quick."""
    path = store / "weights" / WEIGHTS[name].file
    if not path.is_file():
        return Row(name, "missing")
    if not WEIGHTS[name].matches(path):
        return Row(name, "damaged", fault=f"{path} is not the published file")
    return Row(name, "verified")


def _download(name: str, folder: Path, download: Download, mirror: str | None, progress: Progress | None) -> None:
    """Fetches one file into ``folder`` from the mirror, or else from the first address that has it."""
    path = folder / download.file
    if path.exists():
        return  # it was checked when it came
    part = path.with_name(path.name + ".part")
    faults = []
    for base in download.bases if mirror is None else (mirror.rstrip("/") + "/",):
        try:
            _receive(base + path.name, part, progress)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            faults.append(
                f"{base}{path.name}: {getattr(problem, 'reason', None) or problem or type(problem).__name__}"
            )
            continue
        if download.matches(part):
            part.rename(path)
            return
        part.unlink()
        faults.append(
            f"{base}{path.name}: its {download.algorithm.upper()} is not {download.checksum}, so it was damaged on "
            "the way or is another file"
        )
    raise StoreError(
        f"{'; '.join(faults)}. Run the command again to go on, or bring {path.name} here by other means and: "
        f"python -m autograder data import PATH --name {name}"
    )


def _receive(url: str, part: Path, progress: Progress | None) -> None:
    """Receives the rest of a file, after what is already in ``part``.

    Raises:
        OSError, HTTPException, ValueError: the address cannot be reached, or broke off.
    """
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "mizan"}  # some servers refuse Python's own
    request = urllib.request.Request(url, headers=headers | ({"Range": f"bytes={have}-"} if have else {}))
    try:
        response = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as problem:
        if problem.code == 416 and have:  # no bytes after these: all are there
            return
        raise
    with response:
        have = have if getattr(response, "status", None) == 206 else 0  # a server may send it all again
        total = have + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if have else "wb") as file:
            received = have + _copied(response, file, part.name.removesuffix(".part"), have, total, progress)
        if received < total:
            raise ConnectionError(f"the connection broke off after {received} of {total} bytes")


def _copied(
    response: IO[bytes], file: IO[bytes], label: str, have: int, total: int, progress: Progress | None
) -> int:
    count = 0
    while block := response.read(1 << 18):
        file.write(block)
        count += len(block)
        if progress is not None:
            progress(label, have + count, max(total, have + count))
    return count


# --- command ------------------------------------------------------------------------------------------------


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds ``data`` with ``import``, ``fetch`` and ``status`` to the package's command; sets ``run`` to `main`."""
    parser = subparsers.add_parser("data", help="fill and check the store of real data")
    parser.set_defaults(run=main)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    bring = actions.add_parser("import", help="take a dataset from official archives or folders of images")
    bring.add_argument(
        "path", type=Path, help="a folder, a zip or a tar; or a folder with svhn/, mnist/, cifar10/, weights/"
    )
    bring.add_argument(
        "--name", choices=[*CLASSES, *WEIGHTS], help="which dataset, or which weights, it is (default: recognised)"
    )
    get = actions.add_parser("fetch", help="download datasets from their official addresses")
    get.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join([*CLASSES, *WEIGHTS])} (default: all)")
    get.add_argument("--mirror", metavar="URL", help="a folder on another server that holds the same files")
    show = actions.add_parser("status", help="tell what is in the store")
    show.add_argument("--verify", action="store_true", help="hash every file again")
    for action in (bring, get, show):
        action.add_argument("--store", type=Path, default=STORE, help="the store's folder (default: %(default)s)")


def main(args: argparse.Namespace) -> int:
    """Does what ``args`` of `add_parser` say.

    Returns:
        0; or 2 if a source, an address or the store is not good, told in one line on stderr.
    """
    try:
        if args.action == "status":
            rows = [*status(args.store, args.verify), *(weights_row(name, args.store) for name in WEIGHTS)]
            faults = [f"{row.fault}; import or fetch it again" for row in rows if row.status == "damaged"]
        else:
            with _progress() as progress:
                rows, faults = _bring(args, progress)
    except StoreError as problem:
        print(f"data: {problem}", file=sys.stderr)
        return 2
    if rows:
        _print(rows, args.store)
    for row in rows if args.action == "import" else ():
        if row.status == "imported" and row.manifest is not None and row.manifest.counts == COUNTS[row.name]:
            print(
                f"data: {row.name}: as many images as are published, but other bytes: recompressed, changed, or "
                "another dataset of that shape",
                file=sys.stderr,
            )
    for fault in faults:
        print(f"data: {fault}", file=sys.stderr)
    return 2 if faults else 0


def _bring(args: argparse.Namespace, progress: Progress) -> tuple[list[Row], list[str]]:
    """Imports or fetches what is asked for: what came, and a line for each that did not."""
    known = [*CLASSES, *WEIGHTS]
    work: list[Callable[[], Row]] = []
    if args.action == "fetch":
        names = args.names or known
        if unknown := sorted(set(names) - set(known)):
            raise StoreError(f"{unknown[0]}: no such dataset or weights; there are {', '.join(known)}")
        work.extend(functools.partial(_fetched, name, args, progress) for name in names)
    else:
        found: list[tuple[str | None, Path]] = [] if args.name else [*_inside(args.path).items()]
        for name, path in found or [(args.name, args.path)]:
            work.append(functools.partial(_imported, name, path, args, progress))
    rows, faults = [], []
    for bring in work:
        try:
            rows.append(bring())
        except StoreError as problem:
            faults.append(str(problem))
    if args.action == "fetch" and not rows and len(faults) > 1:  # as without a network: one line says enough
        faults = [f"{faults[0]}; nor can {', '.join(names[1:])} be had"]
    return rows, faults


def _fetched(name: str, args: argparse.Namespace, progress: Progress) -> Row:
    if name in WEIGHTS:
        return fetch_weights(name, args.store, progress, mirror=args.mirror)
    manifest = fetch(name, args.store, progress, mirror=args.mirror)
    return Row(name, manifest.status, manifest)


def _imported(name: str | None, path: Path, args: argparse.Namespace, progress: Progress) -> Row:
    if name in WEIGHTS:
        return import_weights(name, path, args.store)
    manifest = import_dataset(name, path, args.store, progress)
    return Row(manifest.name, manifest.status, manifest)


def _inside(source: Path) -> dict[str, Path]:
    """What ``source`` has of datasets in folders of their names, and of published weights; or is itself."""
    found = {name: source / name for name in CLASSES if (source / name).is_dir()}
    for name, download in WEIGHTS.items():
        for path in (source, source / "weights" / download.file):
            if path.name == download.file and path.is_file():
                found[name] = path
    return found


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on a terminal, nothing in a pipe."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


def _print(rows: Sequence[Row], store: Path) -> None:
    table = Table("dataset", "status", "train", "test", "made from", "on", title=escape(f"Real data in {store}"))
    for row in rows:
        if row.manifest is None:
            table.add_row(row.name, row.status)
            continue
        counts = [f"{row.manifest.counts.get(split, 0):,}" for split in SPLITS]
        source, date = escape(row.manifest.source), f"{row.manifest.date:%Y-%m-%d}"
        table.add_row(row.name, row.status, *counts, source, date)
    Console().print(table)
