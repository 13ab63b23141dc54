"""The programs in ``examples/``: short in every run; by ``make test-long`` the marks that they reach."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the examples need scikit-learn")
pytest.importorskip("matplotlib", reason="the examples need Matplotlib")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def run(folder: Path, program: str, *arguments: str) -> str:
    """Run an example as a user would and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / program), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    """Return the number in the place of the group."""
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def test_a_line_is_found(tmp_path: Path) -> None:
    said = run(tmp_path, "linear_regression.py", "--output", "line.png")
    assert number(r"y = ([\d.]+) x", said) == pytest.approx(2.0, abs=0.1)
    assert number(r"x - ([\d.]+)", said) == pytest.approx(1.0, abs=0.1)
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")


def test_an_lstm_reads_digits(tmp_path: Path) -> None:
    said = run(tmp_path, "digits_lstm.py", "--epochs", "8")
    assert number(r"test accuracy ([\d.]+)", said) > 0.85


def test_an_estimator_knows_irises_from_a_csv_file(tmp_path: Path) -> None:
    said = run(tmp_path, "iris.py", "--steps", "150", "--output", "model")
    assert number(r"test accuracy ([\d.]+) on 30 flowers", said) > 0.8
    assert said.splitlines()[1].startswith("setosa, sure to")
    assert (tmp_path / "model" / "checkpoint").exists()
    assert "test accuracy" in run(tmp_path, "iris.py", "--steps", "150", "--output", "model")  # nothing is left to do


def sentences(path: Path) -> None:
    """Write a CSV file of sentences from three topics of Python's help."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "sentence"])
        for topic in ("specialnames", "string-methods", "debugger"):
            for sentence in re.findall(r"[A-Z][^.]{30,300}\.", topics[topic]):
                writer.writerow([topic, " ".join(sentence.split())])


def test_texts_of_a_csv_file_are_classified(tmp_path: Path) -> None:
    sentences(tmp_path / "sentences.csv")
    columns = ["--text", "sentence", "--label", "kind"]
    said = run(tmp_path, "text_classification.py", "sentences.csv", *columns, "--epochs", "4", "--output", "kept")
    assert "3 classes: debugger, specialnames, string-methods" in said
    assert number(r"test accuracy ([\d.]+)", said) > 0.7
    asked = ["Set a breakpoint in the file", "Return a copy of the string", " "]
    found = run(tmp_path, "text_classification.py", "--output", "kept", "--predict", *asked).splitlines()
    assert found[0].startswith("debugger, sure to")
    assert found[1].startswith("string-methods, sure to")
    assert found[2] == "there is no word in ' '"


def test_files_that_cannot_be_learned_from_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("text,label\n")
    (tmp_path / "other.csv").write_text("words,label\na,b\n")
    for name, expected in {
        "empty.csv": "empty.csv: there is nothing to tell apart",
        "other.csv": "other.csv has no column 'text'",
        "none.csv": '"none.csv" cannot be read',
    }.items():
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "text_classification.py"), name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert expected in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_characters_are_learned_and_written(model: str, tmp_path: Path) -> None:
    said = run(tmp_path, "characters.py", "--model", model, "--steps", "25", "--write", "20", "--begin", "If ")
    assert number(r"steps: ([\d.]+) bits", said) < 5.6
    written = said.split("\n\n", 1)[1]
    assert written.startswith("If ")
    assert len(written.removesuffix("\n")) == 23


def test_beginnings_without_a_known_character_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "characters.py"), "--steps", "1", "--begin", "\u4e00"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "--begin is '\u4e00'; give at least one character that the topics have." in done.stderr


def test_frozen_layers_are_those_of_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(tmp_path, "fine_tuning.py", "--steps", "100", "--output", "tuned")
    assert number(r"digits named rightly: ([\d.]+)", said) > 0.85
    assert number(r"restored and frozen: ([\d.]+)", said) > 0.6
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import fine_tuning

    import dovetail as dt

    with dt.Graph().as_default(), dt.Session() as session:
        fine_tuning.build(2, frozen=True, rate=1e-3)
        session.run(dt.global_variables_initializer())
        dt.train.Saver(dt.get_collection("trunk")).restore(session, tmp_path / "tuned" / "digits")
        images = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
        session.run("train", {"images:0": images, "labels:0": np.arange(20) % 2})
        saved = dt.train.load_checkpoint(str(tmp_path / "tuned" / "digits"))
        for layer in ("conv1", "conv2"):
            kept = session.run(f"trunk/{layer}/kernel:0")
            np.testing.assert_array_equal(kept, saved.get_tensor(f"trunk/{layer}/kernel"))
        moved = session.run("trunk/hidden/kernel:0")
        assert not np.array_equal(moved, saved.get_tensor("trunk/hidden/kernel"))


def test_an_autoencoder_restores_digits(tmp_path: Path) -> None:
    said = run(tmp_path, "autoencoder.py", "--steps", "300", "--output", "coded")
    assert number(r"of 8 numbers each: ([\d.]+)", said) < 0.06
    assert number(r"by principal components: ([\d.]+)", said) == pytest.approx(0.0236, abs=5e-4)
    assert (tmp_path / "coded" / "autoencoder.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "coded" / "autoencoder.model").exists()


def test_noise_is_taken_from_a_photograph(tmp_path: Path) -> None:
    said = run(tmp_path, "denoising.py", "--steps", "60", "--output", "cleaned")
    assert number(r"PSNR ([\d.]+) dB with noise", said) == pytest.approx(20.7, abs=0.1)
    assert number(r"([\d.]+) dB cleaned", said) > 21.5
    assert (tmp_path / "cleaned" / "denoising.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.long
def test_an_autoencoder_halves_the_error_of_principal_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded: 0.0123 for seed 0, where principal components have 0.0236."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import autoencoder

    errors = []
    for seed in (0, 1, 2):
        train, test, _ = autoencoder.load(seed)
        coder = autoencoder.fit(train, 4000, seed, quiet=True)
        errors.append(np.square(autoencoder.restored(coder, test) - test).mean())
    assert np.mean(errors) <= 0.013


@pytest.mark.long
def test_a_photograph_gains_seven_decibels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded: 28.17 dB after 5,000 steps, from 20.69 dB."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import denoising

    learned_from, truth = denoising.photographs()
    noisy = denoising.with_noise(truth, np.random.default_rng(1))
    coder = denoising.fit(learned_from, 5000, 0, quiet=True)
    assert denoising.psnr(denoising.cleaned(coder, noisy), truth) >= 27.7


@pytest.mark.long
def test_mean_accuracy_of_the_lstm_over_three_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded: 0.9667, 0.9611, 0.9667."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import digits_lstm

    assert np.mean([digits_lstm.run(seed, epochs=30, quiet=True) for seed in (0, 1, 2)]) >= 0.96


@pytest.mark.long
def test_mean_accuracy_on_irises_over_three_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded: 0.9333, 1.0, 1.0."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import iris

    assert np.mean([iris.run(400, seed, tmp_path / str(seed))[0] for seed in (0, 1, 2)]) >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_bits_of_held_out_characters(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded after 2,000 steps, as means of three seeds."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import characters

    assert np.mean([characters.run(model, 2000, seed, quiet=True)[2] for seed in (0, 1, 2)]) <= 2.2
