"""``from_image_folder``: pictures in folders that are called after their classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, final

import numpy as np

import dovetail as dt
from dovetail.errors import DataError, FormatError, InvalidArgumentError, PluginError, StorageError
from dovetail_train.data.arguments import positive
from dovetail_train.data.dataset import Dataset
from dovetail_train.data.spec import ElementSpec, Leaves, TensorSpec
from dovetail_train.data.stage import Indexed, Turn
from dovetail_train.data.structure import Structure

__all__ = ["from_image_folder", "image_classes", "load_image", "pillow"]

_ENDINGS: Final = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
_CHANNELS: Final = {"L": 1, "RGB": 3, "RGBA": 4}

Mode = Literal["L", "RGB", "RGBA"]


def pillow() -> Any:
    """Return the module ``PIL.Image``.

    Raises:
        PluginError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise PluginError(
            "images are read by Pillow, which is not installed: pip install 'dovetail-train[image]'."
        ) from error
    return Image


def load_image(path: str | os.PathLike[str], mode: Mode = "RGB", size: Sequence[int] | None = None) -> Any:
    """Return a picture as an array of uint8, of shape height, width, channels.

    Args:
        path: the file, of any format that Pillow reads; turned upright as its EXIF data say.
        mode: ``"RGB"``, ``"RGBA"`` or ``"L"`` for grey; other pictures are converted. What shines through is lost
            where there is no alpha channel.
        size: height and width to scale to, without keeping the proportions; as in the file unless given.

    Raises:
        StorageError: the file cannot be read.
        FormatError: it holds no picture, or a part of one.

    Example:
        >>> from PIL import Image
        >>> Image.new("L", (4, 3), 200).save("grey.png")
        >>> dt.data.load_image("grey.png").shape, dt.data.load_image("grey.png", "L", size=(6, 6)).shape
        ((3, 4, 3), (6, 6, 1))
    """
    library = pillow()
    wanted = _size(size)
    path = Path(path)
    try:
        with library.open(path) as opened:
            from PIL import ImageOps

            picture = _converted(ImageOps.exif_transpose(opened), mode)
            if wanted is not None and picture.size != wanted[::-1]:
                picture = picture.resize(wanted[::-1], library.Resampling.BILINEAR)
            array = np.asarray(picture, np.uint8)
    except library.UnidentifiedImageError as error:
        raise FormatError(f"{path}: it is no picture that Pillow reads. Mend the file, or remove it.") from error
    except (OSError, SyntaxError, ValueError, library.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError(f'"{path}" cannot be read: {error.strerror}.') from error
        raise FormatError(f"{path}: the picture is damaged: {error}. Mend the file, or remove it.") from error
    return array[..., None] if array.ndim == 2 else array


def _converted(picture: Any, mode: str) -> Any:
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        # Pillow would cut off what is above 255.
        values = np.asarray(picture, np.float64)
        top = 65535.0 if picture.mode != "F" and values.max(initial=0) > 255 else 255.0
        picture = pillow().fromarray(np.clip(values * (255.0 / top), 0, 255).round().astype(np.uint8))
    return picture if picture.mode == mode else picture.convert(mode)


def _size(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise InvalidArgumentError(f"images: size is {size!r}; give height and width, such as (32, 32).")
    return positive(size[0], "images: the height"), positive(size[1], "images: the width")


def image_classes(folder: str | os.PathLike[str]) -> list[str]:
    """Return the names of the classes of an image folder, its subfolders, sorted.

    Raises:
        StorageError: there is no such folder.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        reason = "it is a file" if path.exists() else f"there is no such folder (from {Path.cwd()})"
        raise StorageError(f'from_image_folder: "{path}" cannot be read: {reason}.')
    return sorted(one.name for one in path.iterdir() if one.is_dir() and not one.name.startswith("."))


def from_image_folder(
    folder: str | os.PathLike[str],
    *,
    mode: Mode = "RGB",
    size: Sequence[int] | None = None,
    classes: Sequence[str] | None = None,
    threads: int | None = None,
) -> Dataset:
    """Return the pictures of a folder with their classes as elements.

    Each subfolder is a class, called by its name; its pictures may lie deeper. A folder without subfolders holds
    pictures without classes. The files are listed at once, and each is read when its turn has come; ``shuffle`` mixes
    them by their names alone, so call it first.

    Args:
        folder: the folder.
        mode: ``"RGB"``, ``"RGBA"`` or ``"L"`` for grey; pictures of other modes are converted.
        size: height and width to scale to; without it pictures keep theirs, and have to be cut to one size before
            ``batch``.
        classes: the names of the subfolders in the order of their numbers; sorted unless given.
        threads: how many pictures to read at a time, ahead of who asks for them; 1 unless given. The order stays.

    Returns:
        A dataset of pairs of a picture, uint8 of shape height, width, channels, and the number of its class, int64; of
        pictures alone where there are no subfolders.

    Raises:
        PluginError: Pillow is not installed.
        StorageError: there is no such folder.
        DataError: there are no pictures, or a class has none.
        FormatError: when read, a file holds no picture, or a part of one. The message names it.

    Example:
        >>> from pathlib import Path
        >>> from PIL import Image
        >>> for kind, shade in (("dark", 0), ("light", 255)):
        ...     Path("shades", kind).mkdir(parents=True)
        ...     Image.new("L", (4, 4), shade).save(Path("shades", kind, "one.png"))
        >>> images = dt.data.from_image_folder("shades", mode="L", size=(2, 2))
        >>> [(int(image.max()), int(label)) for image, label in images]
        [(0, 0), (255, 1)]
    """
    pillow()
    if mode not in _CHANNELS:
        raise InvalidArgumentError(f"from_image_folder: mode is {mode!r}; give one of {', '.join(_CHANNELS)}.")
    found = image_classes(folder)
    path = Path(folder).expanduser()
    wanted, count = _size(size), positive(1 if threads is None else threads, "from_image_folder: threads")
    if not found and classes is None:
        files = _pictures(path)
        if not files:
            raise DataError(f'from_image_folder: "{path}" holds no pictures ({", ".join(_ENDINGS)}) and no subfolders.')
        return Dataset(_Pictures(path, files, None, mode, wanted, count))
    names = found if classes is None else list(classes)
    absent = [name for name in names if name not in found]
    if absent or len(set(names)) < len(names):
        raise InvalidArgumentError(
            f'from_image_folder: classes is {names}; "{path}" has the subfolders {", ".join(found) or "none"}.'
        )
    files, labels = [], []
    for number, name in enumerate(names):
        members = _pictures(path / name)
        if not members:
            raise DataError(
                f'from_image_folder: the class folder "{path / name}" holds no pictures ({", ".join(_ENDINGS)}). '
                "Remove it, or name the classes that are meant by classes."
            )
        files += members
        labels += [number] * len(members)
    return Dataset(_Pictures(path, files, labels, mode, wanted, count))


def _pictures(folder: Path) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix.lower() in _ENDINGS and one.is_file())


@final
class _Pictures(Indexed):
    """Files of pictures."""

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path],
        labels: Sequence[int] | None,
        mode: Mode,
        size: tuple[int, int] | None,
        threads: int,
    ) -> None:
        super().__init__()
        self._folder = folder
        self._files = list(files)
        self._labels = None if labels is None else np.asarray(labels, np.int64)
        self._mode = mode
        self._size = size
        self._threads = threads

    @property
    def spec(self) -> ElementSpec:
        image = TensorSpec([*(self._size or (None, None)), _CHANNELS[self._mode]], dt.uint8)
        if self._labels is None:
            return ElementSpec(Structure(None), (image,))
        pair = Structure(tuple, range(2), [Structure(None), Structure(None)])
        return ElementSpec(pair, (image, TensorSpec([], dt.int64)))

    @property
    def threads(self) -> int:
        return self._threads

    def size(self, turn: Turn) -> int:
        return len(self._files)

    def cardinality(self) -> int:
        return len(self._files)

    def at(self, index: int, turn: Turn) -> Leaves:
        image = load_image(self._files[index], self._mode, self._size)
        return [image] if self._labels is None else [image, self._labels[index]]

    def describe(self, token: Any) -> str:
        return str(self._files[token])

    def title(self) -> str:
        return f"from_image_folder({self._folder.name}, {len(self._files)} pictures)"
