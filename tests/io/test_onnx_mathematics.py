"""Images, special functions and determinants, exported at several opsets, and run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dovetail as dt

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def preprocessing(x: dt.Tensor) -> dt.Tensor:
    """What a network is given, of images as they come."""
    fitted = dt.image.resize_image_with_crop_or_pad(dt.image.flip_left_right(x), 6, 6)
    vivid = dt.image.adjust_saturation(dt.image.adjust_contrast(fitted, 1.2), 1.1)
    return dt.image.per_image_standardization(dt.image.rot90(dt.image.adjust_hue(vivid, 0.1), 3))


CASES: dict[str, tuple[Callable[[dt.Tensor], Any], list[Any]]] = {
    "preprocessing": (preprocessing, ["batch", 8, 5, 3]),
    "measures": (lambda x: dt.image.ssim(x, x * 0.9, 1.0, 5) + dt.image.total_variation(x), ["batch", 8, 8, 3]),
    "gray": (lambda x: dt.image.grayscale_to_rgb(dt.image.rgb_to_grayscale(x)), ["batch", 4, 4, 3]),
    "bessel": (lambda x: dt.math.bessel_i0e(x * 20.0) + dt.math.bessel_i1(x), ["batch", 3]),
    "quantiles": (lambda x: dt.math.ndtri(x) + dt.math.erfinv(x), ["batch", 3]),
    "zeta": (lambda x: dt.zeta(x + 1.5, x + 0.5) + dt.math.xlogy(x, x), ["batch", 3]),
    "determinants": (lambda x: dt.matrix_determinant(x), ["batch", 3, 3]),
    "matrices": (
        lambda x: dt.matrix_set_diag(x, dt.linalg.diag_part(x) * 2.0) * dt.trace(x)[:, None, None],
        ["b", 3, 3],
    ),
}


@pytest.mark.parametrize("opset", [18, 21, 23])
@pytest.mark.parametrize("name", CASES)
def test_values_agree(name: str, opset: int, tmp_path: Path, rng: np.random.Generator) -> None:
    function, shape = CASES[name]
    x = dt.placeholder(dt.float32, shape, name="x")
    sample = rng.uniform(0.1, 0.9, [2, *shape[1:]]).astype(np.float32)
    with dt.Session() as session:
        report = dt.io.export_onnx(
            session, {"x": x}, {"y": function(x)}, tmp_path / "model.onnx", sample_inputs={"x": sample}, opset=opset
        )
    assert report.verified_by
