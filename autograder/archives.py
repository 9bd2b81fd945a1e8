"""Reading the real datasets as they are handed out: official archives, and plain folders of images.

A source is a folder, a zip or a tar; a zip or tar inside a folder counts as a folder of its name. What a file is, its
content says; which split it belongs to, its name. Nothing is unpacked to disk, and no pickle can do more than
describe an array.

Shapes are written N (images).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import math
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

SIZE = 32
"""Height and width of the images in the store, pixels."""

SPLITS = ("train", "test")

DIGITS = tuple("0123456789")

CLASSES = {
    "svhn": DIGITS,
    "mnist": DIGITS,
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
"""Dataset -> the names of its ten classes, in the order of the labels; also the names of their folders."""

PUBLISHED = {
    "svhn": {
        "train": {"e26dedcc434d2e4c54c9b2d4a06d8373"},
        "test": {"eb5a983be6a315427106f1b164d9cef3"},
    },
    "mnist": {
        "train": {"6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624"},
        "test": {"2646ac647ad5339dbf082846283269ea", "27ae3e4e09519cfbb04c329615203637"},
    },
    "cifar10": {
        "train": {
            "c99cafc152244af753f735de768cd75f",
            "d4bba439e000b95fd0a9bffe97cbabec",
            "54ebc095f3ab1f0389bbae665268c751",
            "634d18415352ddfa80567beed471001a",
            "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        "test": {"40351d587109b95175f43aff81a1287e"},
    },
}
"""Dataset -> split -> MD5 of the official files, unzipped: the .mat file, the idx files, the Python batches."""

COUNTS = {
    "svhn": {"train": 73_257, "test": 26_032},
    "mnist": {"train": 60_000, "test": 10_000},
    "cifar10": {"train": 50_000, "test": 10_000},
}
"""Dataset -> split -> how many images the official files hold."""

CIFAR10_TARBALLS = {"c58f30108f718f92721af3b95e74349a", "c32a1d4ab5d03f1284b67883e8d87530"}
"""MD5 of the official tarballs, in Python's and in binary format."""

IMAGES = (".png", ".jpg", ".jpeg")

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and out of how much."""

Pixels: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]
Key = TypeVar("Key", bound=Hashable)


class StoreError(Exception):
    """A dataset cannot be read, fetched or stored. The message is one line that names the file and the fault."""


@dataclass(frozen=True)
class Split:
    """One split of a dataset.

    Attributes:
        pixels: (N, 3, 32, 32), uint8.
        labels: (N,), int64 in [0, 10); every class occurs.
        genuine: the files it was read from are, byte for byte, the published ones.
    """

    pixels: Pixels
    labels: Labels
    genuine: bool


@dataclass(frozen=True)
class Archive:
    """A dataset that was found in a source, not yet read.

    Attributes:
        name: which dataset, a key of `CLASSES`.
        format: what it was found as, for people.
        read: split -> its content; raises StoreError.
    """

    name: str
    format: str
    read: Callable[[str], Split]


@dataclass(frozen=True)
class Entry:
    """A file of a source.

    Attributes:
        path: relative to the source.
        label: what to call it in a message.
        open: opens it for reading.
        container: the zip or tar it is in.
    """

    path: PurePosixPath
    label: str
    open: Callable[[], IO[bytes]]
    container: Path | None = None

    @property
    def is_image(self) -> bool:
        """By its name alone: there may be 60,000 of them."""
        return self.path.suffix.lower() in IMAGES

    @property
    def split(self) -> str | None:
        """The split that its name tells, or else the name of a folder above it."""
        for part in reversed(self.path.parts):
            if "train" in part.lower() or part.startswith("data_batch_"):
                return "train"
            if "test" in part.lower() or part.startswith("t10k"):
                return "test"
        return None

    @functools.cached_property
    def head(self) -> bytes:
        """The first 512 bytes, unzipped."""
        with _faults(self.label), self.open() as file:
            return _head(file)

    def content(self) -> bytes:
        """All of it, unzipped."""
        with _faults(self.label), self.open() as file:
            data = file.read()
            return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@contextmanager
def open_archive(source: Path, name: str | None = None, progress: Progress | None = None) -> Iterator[Archive]:
    """Finds a dataset in a source.

    Args:
        source: a folder, a zip or a tar.
        name: which dataset is expected; None takes whichever is there.
        progress: told of every hundredth image where images are decoded one by one.

    Raises:
        StoreError: there is none, or more than one.
    """
    if name is not None and name not in CLASSES:
        raise StoreError(f"{name}: no such dataset; there are {', '.join(CLASSES)}")
    with ExitStack() as stack:
        entries = list(_entries(source, stack))
        found = [
            a for key in CLASSES if name in (None, key) for a in [_find(key, entries, progress)] if a is not None
        ]
        if not found:
            expected = "; ".join(EXPECTED[key] for key in CLASSES if name in (None, key))
            raise StoreError(f"{source}: there is no {name or 'dataset'} in it; expected {expected}")
        if len(found) > 1:
            raise StoreError(f"{source}: could be {' or '.join(a.name for a in found)}; say which with --name")
        yield found[0]


EXPECTED = {
    "svhn": "train_32x32.mat and test_32x32.mat",
    "mnist": "the four idx files (train-images-idx3-ubyte.gz and so on)",
    "cifar10": "cifar-10-python.tar.gz, cifar-10-binary.tar.gz, or train/<class>/*.png and test/<class>/*.png",
}
"""Dataset -> what a source of it looks like, for people."""


def _find(name: str, entries: Sequence[Entry], progress: Progress | None) -> Archive | None:
    """The dataset ``name`` among the files, in whichever format it takes."""
    formats = {"svhn": (_mat_files,), "mnist": (_idx_files,), "cifar10": (_python_batches, _binary_batches)}[name]
    for find in formats:
        if archive := find(entries):
            return archive
    return _image_folders(name, entries, progress)


# --- files --------------------------------------------------------------------------------------------------


@contextmanager
def _faults(label: str) -> Iterator[None]:
    """Tells what the standard library raises over a damaged file as one line about that file."""
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, RuntimeError, ValueError) as problem:
        raise StoreError(f"{label}: damaged or not readable ({problem or type(problem).__name__})") from problem


def _head(file: IO[bytes]) -> bytes:
    data = file.read(4096)
    if data[:2] == b"\x1f\x8b":
        data = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, 512)
    return data[:512]


def _entries(source: Path, stack: ExitStack) -> Iterator[Entry]:
    """Every file of the source, those in zips and tars included; hidden ones left out."""
    if not source.exists():
        raise StoreError(f"{source}: no such file or folder")
    paths = sorted(source.rglob("*")) if source.is_dir() else [source]
    for path in paths:
        inside = PurePosixPath(path.relative_to(source).as_posix()) if source.is_dir() else PurePosixPath(path.name)
        if not path.is_file() or _hidden(inside):
            continue
        entry = Entry(inside, str(path), functools.partial(_opened, path))
        if entry.is_image:
            yield entry
        elif entry.head.startswith(b"PK\x03\x04"):
            yield from _zip_members(path, inside.with_suffix(""), stack)
        elif entry.head[257:262] == b"ustar":
            yield from _tar_members(path, inside.with_suffix(""), stack)
        elif source.is_dir():
            yield entry
        else:
            raise StoreError(f"{source}: no zip or tar; give the folder it is in, for all of the dataset's files")


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


def _hidden(path: PurePosixPath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _zip_members(path: Path, below: PurePosixPath, stack: ExitStack) -> Iterator[Entry]:
    with _faults(str(path)):
        archive = stack.enter_context(zipfile.ZipFile(path))
    for member in archive.infolist():
        inside = PurePosixPath(member.filename)
        if not member.is_dir() and not _hidden(inside):
            yield Entry(below / inside, f"{path}:{inside}", functools.partial(archive.open, member), path)


def _tar_members(path: Path, below: PurePosixPath, stack: ExitStack) -> Iterator[Entry]:
    with _faults(str(path)):
        archive = stack.enter_context(tarfile.open(path))  # noqa: SIM115  (the stack closes it)
        members = archive.getmembers()
        while archive.fileobj.read(1 << 20):  # up to the end, for gzip to notice if it is cut off
            pass
    for member in members:
        inside = PurePosixPath(member.name)
        if member.isreg() and not _hidden(inside):
            yield Entry(below / inside, f"{path}:{inside}", functools.partial(_extracted, archive, member), path)


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None  # it is None for what is no regular file
    return file


def md5(path: Path) -> str:
    """MD5 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _genuine(name: str, split: str, contents: Mapping[str, bytes]) -> bool:
    """Whether these, label -> content, are the published files of the split.

    Raises:
        StoreError: one is a published file of the other split, or the same as another.
    """
    sums: dict[str, str] = {}
    for label, data in contents.items():
        found = hashlib.md5(data).hexdigest()
        for other in SPLITS:
            if other != split and found in PUBLISHED[name][other]:
                raise StoreError(f"{label}: by its name of the {split} split, but it is a published {other} file")
        if found in sums:
            raise StoreError(f"{label}: is the same as {sums[found]}")
        sums[found] = label
    return set(sums) == PUBLISHED[name][split]


def _by(key: Callable[[Entry], Key | None], entries: Iterable[Entry]) -> dict[Key, Entry]:
    """The entries by their key; those without are left out.

    Several of one key are as good as one where they are the same unzipped, as torchvision leaves them behind.

    Raises:
        StoreError: they are not the same.
    """
    found: dict[Key, Entry] = {}
    for entry in entries:
        name = key(entry)
        if name is None:
            continue
        if name in found and found[name].content() != entry.content():
            raise StoreError(f"{found[name].label} and {entry.label} differ, and either could be meant; remove one")
        found[name] = entry
    return found


def _checked(label: str, pixels: Pixels, labels: NDArray[Any], genuine: bool) -> Split:
    """A split, when what was read from ``label`` makes one."""
    if len(pixels) != len(labels):
        raise StoreError(f"{label}: {len(pixels)} images, but {len(labels)} labels")
    if len(labels) == 0:
        raise StoreError(f"{label}: no images in it")
    if labels.min() < 0 or labels.max() > 9:
        wrong = labels[(labels < 0) | (labels > 9)][0]
        raise StoreError(f"{label}: has the label {wrong}, but labels go from 0 to 9")
    absent = sorted(set(range(10)) - set(np.unique(labels).tolist()))
    if absent:
        raise StoreError(f"{label}: has no image of class {absent[0]}")
    return Split(pixels, labels.astype(np.int64), genuine)


# --- SVHN's .mat files --------------------------------------------------------------------------------------


def _mat_files(entries: Sequence[Entry]) -> Archive | None:
    found = _by(lambda e: e.split, (e for e in entries if not e.is_image and e.head.startswith(b"MATLAB ")))
    if not found:
        return None

    def read(split: str) -> Split:
        if split not in found:
            raise StoreError(f"{_where(found.values())}: {split}_32x32.mat is missing")
        entry = found[split]
        if not entry.head.startswith(b"MATLAB 5.0"):
            raise StoreError(
                f"{entry.label}: of a newer MATLAB than 5.0: if it is digitStruct.mat, of the full numbers "
                "(format 1), take the cropped digits (format 2) instead; if you saved it yourself, save it with -v7"
            )
        data = entry.content()
        pixels, labels = _mat_arrays(entry.label, data)
        return _checked(entry.label, pixels, labels, _genuine("svhn", split, {entry.label: data}))

    return Archive("svhn", ".mat files", read)


def _mat_arrays(label: str, data: bytes) -> tuple[Pixels, NDArray[Any]]:
    import scipy.io

    try:
        content = scipy.io.loadmat(io.BytesIO(data), variable_names=["X", "y"])
    except Exception as problem:  # of a damaged file, scipy raises whatever its bytes lead to
        raise StoreError(f"{label}: damaged or not readable ({problem or type(problem).__name__})") from problem
    if "X" not in content or "y" not in content:
        raise StoreError(f"{label}: has no X and y in it; is it one of the cropped digits' files (format 2)?")
    pixels, labels = content["X"], content["y"]
    if pixels.ndim != 4 or pixels.shape[:3] != (SIZE, SIZE, 3) or pixels.dtype != np.uint8:
        raise StoreError(f"{label}: X is {pixels.dtype} {pixels.shape}, but should be uint8 (32, 32, 3, N)")
    if labels.size != max(labels.shape, default=0) or labels.dtype.kind not in "iuf":
        raise StoreError(f"{label}: y is {labels.dtype} {labels.shape}, but should be numbers (N, 1)")
    if (labels != np.rint(labels)).any():
        raise StoreError(f"{label}: has labels that are no whole numbers")
    labels = labels.ravel().astype(np.int64)
    if labels.min(initial=1) < 1 or labels.max(initial=1) > 10:
        wrong = labels[(labels < 1) | (labels > 10)][0]
        raise StoreError(f"{label}: has the label {wrong}, but SVHN's go from 1 to 10, with 10 for the digit 0")
    return np.ascontiguousarray(pixels.transpose(3, 2, 0, 1)), labels % 10


# --- MNIST's idx files --------------------------------------------------------------------------------------


def _idx_files(entries: Sequence[Entry]) -> Archive | None:
    kinds = {b"\0\0\x08\x03": "images", b"\0\0\x08\x01": "labels"}
    found = _by(
        lambda e: (e.split, kinds[e.head[:4]]), (e for e in entries if not e.is_image and e.head[:4] in kinds)
    )
    if not found:
        return None

    def read(split: str) -> Split:
        for kind in ("images", "labels"):
            if (split, kind) not in found:
                raise StoreError(f"{_where(found.values())}: the idx file of the {split} {kind} is missing")
        images, labels = found[split, "images"], found[split, "labels"]
        contents = {images.label: images.content(), labels.label: labels.content()}
        grey = _idx_array(images.label, contents[images.label])
        if grey.shape[1:] != (28, 28):
            raise StoreError(f"{images.label}: images of {grey.shape[1]}x{grey.shape[2]}, but MNIST's are 28x28")
        answer = _idx_array(labels.label, contents[labels.label])
        return _checked(labels.label, _enlarged(grey), answer, _genuine("mnist", split, contents))

    return Archive("mnist", "idx files", read)


def _idx_array(label: str, data: bytes) -> Pixels:
    """The array in an idx file of unsigned bytes: magic number, sizes as big-endian int32, values."""
    start = 4 + 4 * data[3]
    shape = np.frombuffer(data[4:start].ljust(4 * data[3], b"\0"), ">u4").tolist()
    if len(data) != start + math.prod(shape):
        raise StoreError(f"{label}: {len(data)} bytes, but its header promises {start + math.prod(shape)}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _enlarged(grey: Pixels) -> Pixels:
    """(N, 28, 28) -> (N, 3, 32, 32): a black margin of two pixels, and three equal channels."""
    return np.repeat(np.pad(grey, ((0, 0), (2, 2), (2, 2)))[:, None], 3, axis=1)


# --- CIFAR-10's batches -------------------------------------------------------------------------------------

_BATCHES = {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]}


def _python_batches(entries: Sequence[Entry]) -> Archive | None:
    return _batches(entries, "", "Python batches", _python_batch)


def _binary_batches(entries: Sequence[Entry]) -> Archive | None:
    return _batches(entries, ".bin", "binary batches", _binary_batch)


def _batches(
    entries: Sequence[Entry], suffix: str, form: str, parse: Callable[[str, bytes], tuple[Pixels, NDArray[Any]]]
) -> Archive | None:
    """CIFAR-10 as five train batches and a test batch, each parsed to rows (n, 3072) and labels (n,)."""
    names = {name + suffix for split in SPLITS for name in _BATCHES[split]}
    found = _by(lambda e: e.path.name.removesuffix(suffix), (e for e in entries if e.path.name in names))
    if not found:
        return None
    container = next(iter(found.values())).container

    @functools.cache
    def official_tarball() -> bool:
        return container is not None and md5(container) in CIFAR10_TARBALLS

    def read(split: str) -> Split:
        contents, parts = {}, []
        for name in _BATCHES[split]:
            if name not in found:
                raise StoreError(f"{_where(found.values())}: {name}{suffix} is missing")
            label = found[name].label
            contents[label] = found[name].content()
            parts.append(parse(label, contents[label]))
        rows, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        genuine = _genuine("cifar10", split, contents) or official_tarball()
        return _checked(" + ".join(contents), rows.reshape(-1, 3, SIZE, SIZE), labels, genuine)

    return Archive("cifar10", form, read)


def _binary_batch(label: str, data: bytes) -> tuple[Pixels, NDArray[Any]]:
    """Records of a byte for the label and 3,072 for the pixels."""
    record = 1 + 3 * SIZE * SIZE
    if len(data) % record:
        raise StoreError(f"{label}: {len(data)} bytes, but should be a multiple of {record}")
    table = np.frombuffer(data, np.uint8).reshape(-1, record)
    return table[:, 1:], table[:, 0]


def _python_batch(label: str, data: bytes) -> tuple[Pixels, NDArray[Any]]:
    """A pickled dictionary with ``data``, an array of bytes (n, 3072), and ``labels``, a list of n numbers."""
    try:
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
        return batch[b"data"].pixels(), np.fromiter(batch[b"labels"], np.int64)
    except Exception as problem:  # a damaged pickle raises anything at all
        raise StoreError(f"{label}: not a CIFAR-10 batch ({problem or type(problem).__name__})") from problem


class _Array:
    """Stands in for a numpy array while a batch is unpickled: remembers the array's state and makes nothing of it."""

    state: Any = None

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def pixels(self) -> Pixels:
        """The array, if it is one of bytes (n, 3072)."""
        match self.state:
            case (_, (int(n), 3072), _Type(code=("u1" | b"u1")), bool(by_column), bytes(data)):
                return np.frombuffer(data, np.uint8).reshape((n, 3072), order="F" if by_column else "C")
        raise ValueError("'data' is no array of bytes (n, 3072)")


class _Type:
    """Stands in for a numpy dtype in the same way."""

    def __init__(self, code: Any = None, *args: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        pass


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles numbers, texts, containers and arrays, and refuses everything else before it is called."""

    ALLOWED: dict[tuple[str, str], type] = {  # noqa: RUF012  (pickle.Unpickler has no __set_name__ to mind)
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
    }

    def find_class(self, module: str, name: str) -> type:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no batch needs") from None


# --- folders of images --------------------------------------------------------------------------------------


def _image_folders(name: str, entries: Sequence[Entry], progress: Progress | None) -> Archive | None:
    """Images in ``<split>/<class>/``; the file names' order is the images'."""
    images = sorted((e for e in entries if e.is_image and len(e.path.parts) >= 3), key=lambda e: e.path.parts)
    if not any(_class_of(e) in CLASSES[name] for e in images):
        return None

    def read(split: str) -> Split:
        for entry in images:
            if entry.path.parts[-3] not in SPLITS:
                raise StoreError(f"{entry.label}: images should lie in train/<class>/ or test/<class>/")
            if _class_of(entry) not in CLASSES[name]:
                raise StoreError(
                    f"{entry.label}: {_class_of(entry)!r} is none of the classes {', '.join(CLASSES[name])}"
                )
        mine = [e for e in images if e.path.parts[-3] == split]
        if not mine:
            raise StoreError(f"{_where(images)}: the folder {split} is missing, or has no images in it")
        side = 28 if name == "mnist" else SIZE
        pixels = np.empty((len(mine), 3, SIZE, SIZE), np.uint8)
        for i, entry in enumerate(mine):
            image = _decoded(entry, side, grey=name == "mnist")
            pixels[i] = _enlarged(image[None])[0] if name == "mnist" else image.transpose(2, 0, 1)
            if progress is not None and (i % 100 == 99 or i + 1 == len(mine)):
                progress(f"{name} {split}", i + 1, len(mine))
        labels = np.array([CLASSES[name].index(_class_of(e)) for e in mine])
        return _checked(f"{_where(mine)} ({split})", pixels, labels, genuine=False)

    return Archive(name, "folders of images", read)


def _class_of(entry: Entry) -> str:
    return entry.path.parts[-2]


def _decoded(entry: Entry, side: int, grey: bool) -> Pixels:
    """The image: (side, side) if grey, else (side, side, 3)."""
    from PIL import Image, ImageFile

    # A switch of the whole process, which other libraries (WeasyPrint) turn on: half an image is none here.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    data = entry.content()
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.size == (side, side):
                return np.asarray(image.convert("L" if grey else "RGB"))
            width, height = image.size
    except Exception as problem:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, ...
        raise StoreError(f"{entry.label}: damaged or no image ({problem or type(problem).__name__})") from problem
    raise StoreError(f"{entry.label}: {width}x{height} pixels, but should be {side}x{side}")


def _where(entries: Any) -> str:
    """The folder, zip or tar that the first of these files is in."""
    first = next(iter(entries))
    return str(first.container or Path(first.label).parent)
