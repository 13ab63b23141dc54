"""TensorBoard shows the demonstration's training in a real browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dovetail as dt
from tests.together.tensorboard_in_browser import BROWSER, DRIVER, Page, page, served

pytest.importorskip("sklearn", reason="the demonstration needs scikit-learn")
pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
pytest.importorskip("selenium", reason="a browser is steered by selenium, which is not installed")

ROOT = Path(__file__).resolve().parents[2]
LEAST_COLOURS = 20


def shows_something(shot: Path, wanted: Page) -> None:
    """Photograph the page, and see that it is no empty sheet."""
    from PIL import Image

    wanted.picture(shot)
    with Image.open(shot) as picture:
        assert picture.width >= 1000
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > LEAST_COLOURS


@pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="there is no Chromium with its chromedriver here")
def test_scalars_histograms_and_the_graph_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.setenv("DOVETAIL_BACKENDS", "CPU=reference")  # a few steps are not worth compiling
    import digits

    images, _, labels, _ = digits.load()
    digits.build()
    with dt.Session() as session, dt.summary.FileWriter(tmp_path / "logs" / "digits", session.graph) as writer:
        session.run(dt.global_variables_initializer())
        digits.train(session, images[:128], labels[:128], epochs=3, seed=0, quiet=True, writer=writer)
    with served(tmp_path / "logs") as address, page(address, tmp_path / "profile") as browser:
        browser.show("scalars")
        browser.wait_for("train/loss", "train/rate", "digits")
        shows_something(tmp_path / "scalars.png", browser)

        browser.show("histograms", dark=True)
        browser.wait_for("conv1/kernel", "conv2/kernel")
        shows_something(tmp_path / "histograms.png", browser)

        browser.show("graphs")
        browser.wait_for("conv1", "norm1", "hidden", "scores", "gradients", "?×8×8×1")
        browser.click_node("images", "Placeholder", "/device:CPU:0", "examples/digits.py")
        shows_something(tmp_path / "graphs.png", browser)

        browser.show("images")
        browser.wait_for("digits/image/0", "digits/image/2")
