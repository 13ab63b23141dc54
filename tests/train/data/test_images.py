"""Folders of pictures, and what augmentation does to them."""

from __future__ import annotations

import builtins
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image  # noqa: TID253 - what these tests are about

import dovetail as dt
from dovetail.errors import DataError, FormatError, InvalidArgumentError, PluginError, ShapeError, StorageError

image = dt.data.image


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    for number, (kind, mode) in enumerate([("cat", "RGB"), ("dog", "L"), ("cat", "RGBA"), ("owl", "P"), ("dog", "1")]):
        target = tmp_path / "pictures" / kind / f"{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(rng.integers(0, 256, (10 + number, 8, 3), np.uint8))
        picture.convert(mode).save(target)
    return tmp_path / "pictures"


def test_subfolders_are_classes(folder: Path) -> None:
    data = dt.data.from_image_folder(folder)
    assert dt.data.image_classes(folder) == ["cat", "dog", "owl"]
    assert data.element_spec == (
        dt.data.TensorSpec([None, None, 3], dt.uint8),
        dt.data.TensorSpec([], dt.int64),
    )
    pairs = list(data)
    assert [(picture.shape, int(label)) for picture, label in pairs] == [
        ((10, 8, 3), 0),
        ((12, 8, 3), 0),
        ((11, 8, 3), 1),
        ((14, 8, 3), 1),
        ((13, 8, 3), 2),
    ]
    assert (pairs[0][0] == np.asarray(Image.open(folder / "cat" / "0.png"))).all()
    assert len(data) == 5
    sized = dt.data.from_image_folder(folder, mode="L", size=(6, 5), classes=["owl", "cat"])
    pictures, labels = next(iter(sized.batch(9)))
    assert (pictures.shape, pictures.dtype, labels.tolist()) == ((3, 6, 5, 1), np.uint8, [0, 1, 1])
    alone = dt.data.from_image_folder(folder / "cat", mode="RGBA", size=(4, 4))
    assert alone.element_spec == dt.data.TensorSpec([4, 4, 4], dt.uint8)
    assert len(alone) == 2
    mixed = [int(label) for _, label in data.shuffle(seed=3)]
    assert sorted(mixed) == [0, 0, 1, 1, 2]
    iterator = iter(data.shuffle(seed=3))
    next(iterator)
    state = json.loads(json.dumps(iterator.state()))
    other = iter(data.shuffle(seed=3))
    other.restore(state)
    assert [int(label) for _, label in other] == mixed[1:]


def test_threads_read_pictures_in_order(folder: Path) -> None:
    def make(threads: int | None) -> dt.data.Dataset:
        data = dt.data.from_image_folder(folder, size=(4, 4), threads=threads)
        return data.skip(1).shuffle(seed=2).repeat(3).batch(3)

    expected = [(pictures.tolist(), labels.tolist()) for pictures, labels in make(None)]
    iterator = iter(make(3))
    for at in range(len(expected)):
        state = json.loads(json.dumps(iterator.state()))
        iterator.close()
        iterator = iter(make(2 + at % 2))
        iterator.restore(state)
        pictures, labels = next(iterator)
        assert (pictures.tolist(), labels.tolist()) == expected[at]
    iterator = iter(dt.data.from_image_folder(folder, size=(4, 4), threads=3).skip(2).enumerate().skip(1))
    assert [(int(number), int(label)) for number, (_, label) in iterator] == [(1, 1), (2, 2)]
    (folder / "dog" / "1.png").write_bytes(b"none")
    with pytest.raises(FormatError, match="1.png: it is no picture"):
        list(make(3))
    with pytest.raises(InvalidArgumentError, match="from_image_folder: threads is 0"):
        make(0)


def test_pictures_that_are_none_are_named(folder: Path) -> None:
    whole = (folder / "cat" / "0.png").read_bytes()
    for content, message in [
        (whole[: len(whole) // 2], "bad.png: the picture is damaged: .*truncated.*. Mend the file, or remove it"),
        (b"no picture at all", "bad.png: it is no picture that Pillow reads"),
        (b"", "bad.png: it is no picture that Pillow reads"),
    ]:
        (folder / "owl" / "bad.png").write_bytes(content)
        with pytest.raises(FormatError, match=message):
            list(dt.data.from_image_folder(folder))
        with pytest.raises(FormatError, match=message):
            list(dt.data.from_image_folder(folder, size=(4, 4)).batch(2).prefetch())
    (folder / "owl" / "bad.png").unlink()
    with pytest.raises(DataError, match=r"batch: element 1\[0\] has shape \[12, 8, 3\], where element 0\[0\] has"):
        list(dt.data.from_image_folder(folder).batch(2))
    data = dt.data.from_image_folder(folder)
    (folder / "dog" / "1.png").unlink()
    with pytest.raises(StorageError, match=r'dog/1.png" cannot be read: No such file or directory'):
        list(data)
    with pytest.raises(DataError, match=r"map: .* at element 3 \(.*3.png\)"):
        list(dt.data.from_image_folder(folder).concatenate(dt.data.from_image_folder(folder)).map(fail_for_owls))


def fail_for_owls(picture: Any, label: Any) -> Any:
    if label == 2:
        raise ValueError("an owl")
    return picture


def test_folders_that_are_none_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "eel").mkdir()
    (folder / "eel" / "readme.txt").write_text("none")
    with pytest.raises(DataError, match=r'the class folder ".*eel" holds no pictures \(.bmp, .*Remove it'):
        dt.data.from_image_folder(folder)
    with pytest.raises(DataError, match=r'eel" holds no pictures .* and no subfolders'):
        dt.data.from_image_folder(folder / "eel")
    for path, message in [(folder / "none", "there is no such folder"), (folder / "cat" / "0.png", "it is a file")]:
        with pytest.raises(StorageError, match=message):
            dt.data.from_image_folder(path)
    for options, message in [
        ({"classes": ["cat", "cow"]}, r"classes is \['cat', 'cow'\]; .* has the subfolders cat, dog, eel, owl"),
        ({"classes": ["cat", "cat"]}, "classes is"),
        ({"mode": "CMYK"}, "mode is 'CMYK'; give one of L, RGB, RGBA"),
        ({"size": 5}, "size is 5; give height and width"),
        ({"size": (5, 0)}, "the width is 0"),
    ]:
        with pytest.raises(InvalidArgumentError, match=message):
            dt.data.from_image_folder(folder, **options)
    importing = builtins.__import__

    def without_pillow(name: str, *rest: Any) -> Any:
        if name == "PIL":
            raise ImportError("no PIL")
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(PluginError, match="Pillow, which is not installed: pip install 'dovetail-train\\[image\\]'"):
        dt.data.from_image_folder(folder)


def test_deep_greys_and_exif_are_read_right(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 256 * 100, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert dt.data.load_image(tmp_path / "deep.png", "L").ravel().tolist() == [0, 100, 255]
    turned = Image.new("L", (4, 2), 9)
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert dt.data.load_image(tmp_path / "turned.jpg", "L").shape == (4, 2, 1)


def test_augmentation_is_the_same_for_a_seed(folder: Path) -> None:
    change = image.augmentation(
        image.random_flip,
        partial(image.random_flip, vertical=True),
        partial(image.random_rotation, degrees=30),
        partial(image.random_crop, size=(6, 5), padding=1),
        image.random_brightness,
        image.random_contrast,
        lambda picture, rng: image.normalize(picture, mean=[0.5] * 3, std=0.25),
    )
    one = dt.data.from_image_folder(folder).random_map(change, seed=5).repeat(2).batch(5)
    four = dt.data.from_image_folder(folder).random_map(change, seed=5, threads=4).repeat(2).batch(5).prefetch()
    assert one.element_spec[0] == dt.data.TensorSpec([None, 6, 5, 3], dt.float32)
    first, second = [batch[0] for batch in one]
    again = [batch[0] for batch in four]
    assert (first == again[0]).all()
    assert (second == again[1]).all()
    assert (first != second).any()


def rngs(count: int = 200) -> list[np.random.Generator]:
    return [np.random.default_rng(n) for n in range(count)]


def test_each_change_does_what_it_says() -> None:
    picture = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    flips = [image.random_flip(picture, rng)[0, 0, 0] for rng in rngs()]
    assert sorted(set(flips)) == [0, 9]
    assert 70 < flips.count(9) < 130
    assert (image.random_flip(picture, rngs()[0], vertical=True, probability=1.0) == picture[::-1]).all()
    assert (image.random_flip(picture, rngs()[0], probability=0.0) == picture).all()
    places = {tuple(image.random_crop(picture, rng, size=(4, 3))[0, 0]) for rng in rngs()}
    assert places == {tuple(picture[i, j]) for i in range(2) for j in range(2)}
    corners = {int(image.random_crop(picture, rng, size=(5, 4), padding=2).max()) for rng in rngs()}
    assert max(corners) == 59
    assert len(corners) > 6
    assert (image.center_crop(picture, (3, 2)) == picture[1:4, 1:3]).all()
    assert image.pad(picture, (1, 2), value=7).shape == (7, 8, 3)
    assert image.pad(picture, 1, value=7)[0, 0, 0] == 7
    assert (image.rotate(picture, 180) == picture[::-1, ::-1]).all()
    assert (image.rotate(picture[:4], 90) == np.rot90(picture[:4])).all()
    small = image.rotate(np.full((9, 9, 1), 100, np.uint8), 45, value=3)
    assert (small[0, 0, 0], small[4, 4, 0]) == (3, 100)
    assert image.resize(picture, (10, 8)).shape == (10, 8, 3)
    assert image.resize(np.full((4, 4, 1), 0.25), 2).tolist() == [[[0.25]] * 2] * 2
    bright = [int(image.random_brightness(picture, rng, delta=0.1)[2, 2, 0]) - int(picture[2, 2, 0]) for rng in rngs()]
    assert -26 <= min(bright) < -20
    assert 20 < max(bright) <= 26
    assert image.random_brightness(np.full((1, 1, 1), 250, np.uint8), MaximalRng(), delta=0.5).item() == 255
    assert image.random_brightness(np.zeros((1, 1, 1)), MaximalRng(), delta=0.5).item() == pytest.approx(0.5)
    assert image.random_brightness(np.zeros((1, 1, 1)), MaximalRng()).dtype == np.float64
    contrast = image.random_contrast(np.array([[[10.0], [20.0]]]), MaximalRng(), upper=2.0)
    assert contrast.ravel().tolist() == pytest.approx([5.0, 25.0])
    levelled = image.normalize(picture, mean=[0.1, 0.2, 0.3], std=[1, 2, 4])
    assert levelled[1, 1].tolist() == pytest.approx(
        [(15 / 255 - 0.1), (16 / 255 - 0.2) / 2, (17 / 255 - 0.3) / 4], rel=1e-5
    )
    assert image.normalize(np.array([2.0, 4.0]), scale=2).tolist() == [1.0, 2.0]


class MaximalRng:
    """Draws the greatest numbers."""

    def random(self) -> float:
        return 1.0


def test_changes_that_cannot_be_are_refused() -> None:
    picture = np.zeros((5, 4, 3), np.uint8)
    rng = rngs()[0]
    with pytest.raises(ShapeError, match="random_crop: a picture of 5 by 4 holds no part of 6 by 4; pad or resize it"):
        image.random_crop(picture, rng, size=(6, 4))
    with pytest.raises(ShapeError, match="center_crop: a picture of 5 by 4"):
        image.center_crop(picture, 5)
    with pytest.raises(ShapeError, match=r"rotate: a picture has shape \[5, 4\]; it must be height, width, channels"):
        image.rotate(picture[..., 0], 5)
    with pytest.raises(InvalidArgumentError, match="size is 0"):
        image.resize(picture, 0)
    with pytest.raises(InvalidArgumentError, match="padding is -1"):
        image.pad(picture, -1)
    with pytest.raises(InvalidArgumentError, match="std is 0"):
        image.normalize(picture, std=0)
