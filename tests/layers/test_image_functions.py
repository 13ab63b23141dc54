"""``dt.image`` beside what TensorFlow computed (tools/record_tensorflow_mathematics.py), its chances, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt
from dovetail.errors import DTypeError, InvalidArgumentError, ShapeError

RECORDED = np.load(Path(__file__).parents[1] / "data" / "tensorflow_mathematics.npz")


def run(fetches: Any, feeds: Any = None) -> Any:
    with dt.Session() as session:
        return session.run(fetches, feeds)


FUNCTIONS: dict[str, Callable[..., dt.Tensor]] = {
    "adjust_brightness": lambda x: dt.image.adjust_brightness(x, 0.3),
    "adjust_contrast": lambda x: dt.image.adjust_contrast(x, 1.7),
    "adjust_gamma": lambda x: dt.image.adjust_gamma(x, 2.0, 1.1),
    "adjust_hue": lambda x: dt.image.adjust_hue(x, -0.3),
    "adjust_saturation": lambda x: dt.image.adjust_saturation(x, 1.5),
    "central_crop": lambda x: dt.image.central_crop(x, 0.5),
    "crop_or_pad": lambda x: dt.image.resize_image_with_crop_or_pad(x, 3, 7),
    "crop_to_bounding_box": lambda x: dt.image.crop_to_bounding_box(x, 1, 0, 3, 2),
    "flip_left_right": dt.image.flip_left_right,
    "flip_up_down": dt.image.flip_up_down,
    "pad_to_bounding_box": lambda x: dt.image.pad_to_bounding_box(x, 1, 2, 8, 7),
    "per_image_standardization": dt.image.per_image_standardization,
    "rgb_to_grayscale": dt.image.rgb_to_grayscale,
    "rot90": dt.image.rot90,
    "rot180": lambda x: dt.image.rot90(x, 2),
    "rot270": lambda x: dt.image.rot90(x, -1),
    "to_float32": lambda x: dt.image.convert_image_dtype(x, dt.float32),
    "to_int16": lambda x: dt.image.convert_image_dtype(x, dt.int16),
    "to_int8": lambda x: dt.image.convert_image_dtype(x, dt.int8, saturate=True),
    "transpose": dt.image.transpose,
}


@pytest.mark.parametrize("kind", ["floats", "bytes"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_those_of_tensorflow(name: str, kind: str) -> None:
    image = RECORDED[f"image/{kind}"]
    x = dt.placeholder(dt.as_dtype(image.dtype), image.shape)
    found, expected = run(FUNCTIONS[name](x), {x: image}), RECORDED[f"image/{name}/{kind}"]
    assert found.dtype == expected.dtype
    if expected.dtype == np.float32:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
    else:  # an integer may be the next one, where a sum of floats is rounded otherwise
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= (name in INEXACT)


INEXACT = ("adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "rgb_to_grayscale")


def test_spaces_of_colour() -> None:
    floats = RECORDED["image/floats"]
    hsv, rgb = run([dt.image.rgb_to_hsv(floats), dt.image.hsv_to_rgb(floats)])
    np.testing.assert_allclose(hsv, RECORDED["image/rgb_to_hsv"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rgb, RECORDED["image/hsv_to_rgb"], rtol=1e-5, atol=1e-6)
    gray = dt.image.grayscale_to_rgb(floats[..., :1])
    np.testing.assert_array_equal(run(gray), np.repeat(floats[..., :1], 3, -1))


def test_measures() -> None:
    left, near = RECORDED["image/left"], RECORDED["image/near"]
    np.testing.assert_allclose(run(dt.image.psnr(left, near, 255)), RECORDED["image/psnr"], rtol=1e-5)
    np.testing.assert_allclose(run(dt.image.ssim(left, near, 255)), RECORDED["image/ssim"], rtol=1e-5)
    small = dt.image.ssim(left, near, 255, 5, 1.0, 0.02, 0.05)
    np.testing.assert_allclose(run(small), RECORDED["image/ssim_small"], rtol=1e-5)
    scales = dt.image.ssim_multiscale(left, near, 255, [0.4, 0.35, 0.25], 3)
    np.testing.assert_allclose(run(scales), RECORDED["image/ssim_multiscale"], rtol=1e-5)
    floats = RECORDED["image/floats"]
    np.testing.assert_allclose(run(dt.image.total_variation(floats)), RECORDED["image/total_variation"], rtol=1e-5)
    np.testing.assert_allclose(
        run(dt.image.total_variation(floats[1])), RECORDED["image/total_variation"][1], rtol=1e-5
    )


MORE: dict[str, Callable[..., Any]] = {
    "image_gradients": lambda x: dt.stack(dt.image.image_gradients(x)),
    "sobel_edges": dt.image.sobel_edges,
    "rgb_to_yiq": dt.image.rgb_to_yiq,
    "yiq_to_rgb": dt.image.yiq_to_rgb,
    "rgb_to_yuv": dt.image.rgb_to_yuv,
    "yuv_to_rgb": dt.image.yuv_to_rgb,
    "resize_image_with_pad": lambda x: dt.image.resize_image_with_pad(x, 7, 9),
    "resize_image_with_pad_narrow": lambda x: dt.image.resize_image_with_pad(x, 3, 7, 1),
    "patches_valid": lambda x: dt.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 1, 1], [1, 1, 2, 1], "VALID"),
    "patches_same": lambda x: dt.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"),
}


@pytest.mark.parametrize("name", MORE)
def test_more_values_are_those_of_tensorflow(name: str) -> None:
    found = run(MORE[name](dt.constant(RECORDED["image/floats"])))
    np.testing.assert_allclose(found, RECORDED[f"image/more/{name}"], rtol=1e-5, atol=1e-6)


def test_parts_are_resized_as_in_tensorflow() -> None:
    image = RECORDED["image/floats"][:, :5, :3]
    boxes = np.array([[0.1, 0.2, 0.9, 0.7], [0.8, -0.3, 0.2, 1.4], [0.0, 0.0, 1.0, 1.0]], np.float32)
    for method in ("bilinear", "nearest"):
        found = run(dt.image.crop_and_resize(image, boxes, [1, 0, 1], [4, 3], method, 0.25))
        np.testing.assert_allclose(found, RECORDED[f"image/crop_and_resize/{method}"], rtol=1e-5, atol=1e-6)
    one = run(dt.image.crop_and_resize(image, boxes, [1, 0, 1], [1, 2]))
    np.testing.assert_allclose(one, RECORDED["image/crop_and_resize/one"], rtol=1e-5, atol=1e-6)


def test_boxes_are_suppressed_as_in_tensorflow() -> None:
    boxes, scores = RECORDED["image/boxes"], RECORDED["image/scores"]
    many = dt.image.non_max_suppression(boxes, scores, 30, 0.3)
    few = dt.image.non_max_suppression(boxes, scores, 4, 0.5, 0.4)
    assert run(many).tolist() == RECORDED["image/suppressed"].tolist()
    assert run(few).tolist() == RECORDED["image/suppressed_few"].tolist()


def test_as_many_boxes_as_are_fed() -> None:
    boxes, scores = dt.placeholder(dt.float32, [None, 4]), dt.placeholder(dt.float32, [None])
    kept = dt.image.non_max_suppression(boxes, scores, 10)
    corners = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]], np.float32)
    assert run(kept, {boxes: corners, scores: np.array([0.1, 0.2, 0.3])}).tolist() == [2, 1]
    assert run(kept, {boxes: corners[:0], scores: np.zeros(0)}).tolist() == []


def test_images_of_sizes_that_are_fed() -> None:
    x = dt.placeholder(dt.float32, [None, None, None, 3])
    fitted = dt.image.resize_with_crop_or_pad(x, 4, 4)
    assert run(fitted, {x: np.ones((2, 3, 9, 3))}).sum(axis=(1, 2)).tolist() == [[12.0] * 3] * 2
    cut = dt.image.crop_to_bounding_box(x, 1, 1, 2, 2)
    assert run(cut, {x: np.ones((1, 3, 3, 3))}).shape == (1, 2, 2, 3)
    with pytest.raises(InvalidArgumentError, match="must be at least 0"):
        run(cut, {x: np.ones((1, 2, 3, 3))})


def test_a_batch_is_flipped_image_by_image() -> None:
    x = np.arange(2.0).reshape(1, 1, 2, 1) * np.ones((200, 1, 1, 1))
    sideways = run(dt.image.random_flip_left_right(x, seed=3))[:, 0, 0, 0]
    assert 60 < sideways.sum() < 140
    down = run(dt.image.random_flip_up_down(x.transpose(0, 2, 1, 3), seed=3))[:, 0, 0, 0]
    assert 60 < down.sum() < 140


def test_one_image_is_flipped_in_some_runs() -> None:
    flipped = dt.image.random_flip_left_right([[[0.0], [1.0]]])
    with dt.Session() as session:
        assert {float(session.run(flipped)[0, 0, 0]) for _ in range(40)} == {0.0, 1.0}


def test_random_changes_stay_within_their_bounds() -> None:
    image = np.full((2, 2, 3), 0.5, np.float32) * np.array([1.0, 0.5, 0.25], np.float32)
    x = dt.constant(image)
    changed = [
        dt.image.random_brightness(x, 0.1),
        dt.image.random_contrast(x, 0.5, 1.5),
        dt.image.random_saturation(x, 0.5, 1.0),
        dt.image.random_hue(x, 0.2),
    ]
    with dt.Session() as session:
        first, second = session.run(changed), session.run(changed)
    assert np.abs(first[0] - image).max() <= 0.1 + 1e-6
    for one, other in zip(first[::3], second[::3], strict=True):
        assert (one != other).any()


def test_gradients_go_through_colours() -> None:
    x = dt.constant(RECORDED["image/floats"][1].astype(np.float64))
    there_and_back = dt.image.hsv_to_rgb(dt.image.rgb_to_hsv(x))
    np.testing.assert_allclose(
        run(dt.gradients(there_and_back, x)[0]), np.ones_like(RECORDED["image/floats"][1]), atol=1e-9
    )


REFUSALS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a matrix": (
        lambda: dt.image.flip_left_right(np.ones((2, 2))),
        ShapeError,
        r"flip_left_right: the image is float64\[2, 2\]; \[height, width, channels\] is expected, or a batch of such.",
    ),
    "a vector": (
        lambda: dt.image.adjust_contrast([1.0], 2.0),
        ShapeError,
        r"adjust_contrast: the image is float32\[1\]; \[..., height, width, channels\] is expected.",
    ),
    "truth": (
        lambda: dt.image.adjust_contrast(np.ones((1, 1, 1), bool), 2.0),
        DTypeError,
        r"adjust_contrast: the image is bool\[1, 1, 1\]; give numbers.",
    ),
    "two channels": (
        lambda: dt.image.rgb_to_hsv(np.ones((2, 2, 2))),
        ShapeError,
        r"rgb_to_hsv: the image is float64\[2, 2, 2\]; 3 channels are expected, on the last axis.",
    ),
    "three grays": (
        lambda: dt.image.grayscale_to_rgb(np.ones((2, 2, 3))),
        ShapeError,
        r"grayscale_to_rgb: the image is float64\[2, 2, 3\]; 1 channel is expected, on the last axis.",
    ),
    "bytes as colours": (
        lambda: dt.image.hsv_to_rgb(np.ones((2, 2, 3), np.uint8)),
        DTypeError,
        r"hsv_to_rgb: the images are uint8\[2, 2, 3\]; floats are expected. Use convert_image_dtype.",
    ),
    "a part outside": (
        lambda: dt.image.crop_to_bounding_box(np.ones((3, 3, 1)), 2, 0, 2, 1),
        ShapeError,
        r"crop_to_bounding_box: the image is float64\[3, 3, 1\]; 2 rows from 2 on do not lie within it.",
    ),
    "a frame too small": (
        lambda: dt.image.pad_to_bounding_box(np.ones((3, 3, 1)), 0, 2, 3, 4),
        ShapeError,
        r"pad_to_bounding_box: the image is float64\[3, 3, 1\]; from column 2 on it does not fit into 4.",
    ),
    "a negative offset": (
        lambda: dt.image.crop_to_bounding_box(np.ones((3, 3, 1)), -1, 0, 2, 1),
        InvalidArgumentError,
        "crop_to_bounding_box: offset_height is -1; give at least 0.",
    ),
    "an offset that a run knows": (
        lambda: dt.image.crop_to_bounding_box(np.ones((3, 3, 1)), dt.placeholder(dt.int32, []), 0, 2, 1),
        InvalidArgumentError,
        "crop_to_bounding_box: offset_height is .*; give an int that the graph knows.",
    ),
    "no fraction": (
        lambda: dt.image.central_crop(np.ones((3, 3, 1)), 1.5),
        InvalidArgumentError,
        r"central_crop: central_fraction is 1.5; give one in \(0, 1\].",
    ),
    "the middle of what is not known": (
        lambda: dt.image.central_crop(dt.placeholder(dt.float32, [None, 3, 1]), 0.5),
        InvalidArgumentError,
        "central_crop: the image is .*, of which height and width must be known.",
    ),
    "half a turn": (
        lambda: dt.image.rot90(np.ones((3, 3, 1)), 0.5),
        InvalidArgumentError,
        "rot90: k is 0.5; give an int.",
    ),
    "a hue beyond the circle": (
        lambda: dt.image.adjust_hue(np.ones((1, 1, 3)), 1.5),
        InvalidArgumentError,
        "adjust_hue: delta is 1.5; give one from -1 to 1.",
    ),
    "a negative gamma": (
        lambda: dt.image.adjust_gamma(np.ones((1, 1, 3)), -1),
        InvalidArgumentError,
        "adjust_gamma: gamma is -1; give at least 0.",
    ),
    "an empty interval": (
        lambda: dt.image.random_contrast(np.ones((1, 1, 3)), 1.0, 1.0),
        InvalidArgumentError,
        "random_contrast: upper is 1.0 and lower 1.0; upper must be greater.",
    ),
    "an interval below zero": (
        lambda: dt.image.random_saturation(np.ones((1, 1, 3)), -1.0, 1.0),
        InvalidArgumentError,
        "random_saturation: lower is -1.0; give at least 0.",
    ),
    "a large turn": (
        lambda: dt.image.random_hue(np.ones((1, 1, 3)), 0.6),
        InvalidArgumentError,
        "random_hue: max_delta is 0.6; give one from 0 to 0.5.",
    ),
    "truth as a dtype": (
        lambda: dt.image.convert_image_dtype(np.ones((1, 1, 3)), dt.bool),
        DTypeError,
        r"convert_image_dtype: from float64\[1, 1, 3\] to bool; both must be numbers.",
    ),
    "two sizes": (
        lambda: dt.image.psnr(np.ones((1, 1, 3)), np.ones((1, 2, 3)), 1.0),
        ShapeError,
        r"psnr: the images are float64\[1, 1, 3\] and float64\[1, 2, 3\]; height, width and channels must be equal.",
    ),
    "a small image": (
        lambda: dt.image.ssim(np.ones((8, 8, 3)), np.ones((8, 8, 3)), 1.0),
        ShapeError,
        r"ssim: the images are float32\[8, 8, 3\], smaller than the windows of 11.",
    ),
    "no scale": (
        lambda: dt.image.ssim_multiscale(np.ones((8, 8, 3)), np.ones((8, 8, 3)), 1.0, []),
        InvalidArgumentError,
        "ssim_multiscale: power_factors is empty; give a weight for each scale.",
    ),
    "scales of what is not known": (
        lambda: dt.image.ssim_multiscale(dt.placeholder(dt.float32, [None, 8, 3]), np.ones((8, 8, 3)), 1.0),
        ShapeError,
        "ssim_multiscale: the images are .*, of which height and width must be known.",
    ),
    "bytes as luma": (
        lambda: dt.image.rgb_to_yuv(np.ones((2, 2, 3), np.uint8)),
        DTypeError,
        r"rgb_to_yuv: the images are uint8\[2, 2, 3\]; floats are expected. Use convert_image_dtype.",
    ),
    "a part by another method": (
        lambda: dt.image.crop_and_resize(np.ones((1, 4, 4, 1)), [[0.0, 0.0, 1.0, 1.0]], [0], [2, 2], "area"),
        InvalidArgumentError,
        'crop_and_resize: method is .area.; give "bilinear" or "nearest".',
    ),
    "a part of one size": (
        lambda: dt.image.crop_and_resize(np.ones((1, 4, 4, 1)), [[0.0, 0.0, 1.0, 1.0]], [0], [2]),
        InvalidArgumentError,
        r"crop_and_resize: crop_size is \[2\]; give height and width.",
    ),
    "a part of three corners": (
        lambda: dt.image.crop_and_resize(np.ones((1, 4, 4, 1)), [[0.0, 0.0, 1.0]], [0], [2, 2]),
        ShapeError,
        r"crop_and_resize: boxes are float32\[1, 3\] and indices int32\[1\]; give \[boxes, 4\] and \[boxes\].",
    ),
    "a frame for what is not known": (
        lambda: dt.image.resize_image_with_pad(dt.placeholder(dt.float32, [None, 3, 1]), 4, 4),
        InvalidArgumentError,
        "resize_image_with_pad: from .* to 4 rows and 4 columns; all must be known and at least 1.",
    ),
    "boxes of three corners": (
        lambda: dt.image.non_max_suppression(np.ones((2, 3)), np.ones(2), 2),
        ShapeError,
        r"non_max_suppression: boxes are float64\[2, 3\] and scores float64\[2\]; give \[boxes, 4\] and \[boxes\].",
    ),
    "a share beyond all": (
        lambda: dt.image.non_max_suppression(np.ones((2, 4)), np.ones(2), 2, 1.5),
        InvalidArgumentError,
        "non_max_suppression: iou_threshold is 1.5; give one from 0 to 1.",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name: str) -> None:
    make, error, message = REFUSALS[name]
    with pytest.raises(error, match=message):
        make()
