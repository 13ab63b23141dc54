"""``dovetail train`` and ``dovetail predict``, on a table and on pictures, and the mistakes that are made."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from dovetail.plugins.cli import main
from dovetail_train.commands.settings import read_settings

CONFIG = """
[data]
file = "table.csv"
label = "kind"
validation = 0.25

[columns]
colour = "category"
noise = "ignore"

[model]
type = "dnn_classifier"
hidden_units = [8]
learning_rate = 0.05

[train]
steps = 60
evaluate_every = 20
batch_size = 16
seed = 3
progress = false

[output]
folder = "model"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table and settings."""
    rng = np.random.default_rng(0)
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["size", "colour", "noise", "price", "kind"])
        for _ in range(120):
            size, colour = rng.normal(), rng.choice(["red", "green", "blue"])
            kind = "large" if size + (colour == "red") > 0.3 else "small"
            writer.writerow([f"{size:.4f}", colour, "x" * rng.integers(1, 9), f"{2 * size + 1:.4f}", kind])
    (tmp_path / "settings.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_is_learned_and_predicted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "settings.toml"]) == 0
    out, errors = capsys.readouterr()
    assert "validation: accuracy 0.9" in out or "validation: accuracy 1" in out
    assert "step 20: accuracy" in errors
    assert main(["predict", "model", "table.csv", "--output", "out.csv"]) == 0
    found, given = read(folder / "out.csv"), read(folder / "table.csv")
    assert list(found[0]) == ["class", "probability_large", "probability_small"]
    right = [one["class"] == other["kind"] for one, other in zip(found, given, strict=True)]
    assert np.mean(right) > 0.9
    assert json.loads((folder / "model" / "dovetail-train.json").read_text())["classes"] == ["large", "small"]
    bundle = next((folder / "model" / "export").iterdir())
    capsys.readouterr()
    assert main(["predict", str(bundle), "table.csv"]) == 0
    assert capsys.readouterr().out == (folder / "out.csv").read_text()


def test_training_goes_on_where_it_stopped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "settings.toml", "--set", "train.steps=20"]) == 0
    assert main(["train", "settings.toml", "--set", "train.steps=20"]) == 0
    assert "20 of 20 steps were made before; raise train.steps" in capsys.readouterr().out
    assert main(["train", "settings.toml", "--set", "train.steps=40"]) == 0
    _, errors = capsys.readouterr()
    assert "step 40:" in errors
    assert "step 20:" not in errors


def test_patience_ends_training_and_the_best_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["train.steps=400", "train.evaluate_every=10", "train.patience=1", "model.learning_rate=2.0"]
    assert main(["train", "settings.toml", *(part for one in changes for part in ("--set", one))]) == 0
    out, errors = capsys.readouterr()
    assert "stopped: average_loss has not become better for 1 evaluations" in errors
    losses = [float(line.split("average_loss ")[1].split(",")[0]) for line in errors.splitlines() if "step" in line[:5]]
    assert float(out.split("average_loss ")[1].split(",")[0]) == min(losses)


@pytest.mark.parametrize("kind", ["dnn_regressor", "linear_regressor", "baseline_regressor"])
def test_numbers_are_predicted(folder: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [f"model.type={kind}", "data.label=price", "columns.kind=ignore", "train.steps=150"]
    assert main(["train", "settings.toml", *(part for one in changes for part in ("--set", one))]) == 0
    assert main(["predict", "model", "table.csv", "--output", "out.csv"]) == 0
    found, given = read(folder / "out.csv"), read(folder / "table.csv")
    assert list(found[0]) == ["prediction"]
    errors = [float(a["prediction"]) - float(b["price"]) for a, b in zip(found, given, strict=True)]
    spread = np.std([float(one["price"]) for one in given])
    assert np.std(errors) < (1.1 if kind.startswith("baseline") else 0.5) * spread


def test_every_type_of_column(folder: Path) -> None:
    changes = [
        "columns.size={type='bucketized', boundaries=[-1, 0, 1]}",
        "columns.colour={type='hash', buckets=50, dimension=3}",
        "columns.noise={type='category', dimension=2}",
        "columns.price={type='numeric', normalize=false}",
        "train.steps=2",
    ]
    assert main(["train", "settings.toml", *(part for one in changes for part in ("--set", one))]) == 0
    changes += ["model.type=linear_classifier", "output.folder=wide"]
    assert main(["train", "settings.toml", *(part for one in changes for part in ("--set", one))]) == 0


def test_pictures_are_learned_and_predicted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for kind, level in (("dark", 40), ("light", 200)):
        (folder / "pictures" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = (level + rng.integers(0, 30, (10, 12, 3))).astype(np.uint8)
            image.fromarray(pixels).save(folder / "pictures" / kind / f"{number}.png")
    (folder / "pictures.toml").write_text(
        '[data]\nimages = "pictures"\nimage_size = [8, 8]\nimage_mode = "L"\n'
        '[model]\ntype = "cnn_classifier"\nfilters = [4]\nhidden_units = [8]\nlearning_rate = 0.02\n'
        '[train]\nepochs = 8\nbatch_size = 8\nseed = 1\nprogress = false\n[output]\nfolder = "shades"\n'
    )
    assert main(["train", "pictures.toml"]) == 0
    assert "validation: accuracy 1," in capsys.readouterr().out
    assert main(["predict", "shades", "pictures", "--output", "out.csv"]) == 0
    found = read(folder / "out.csv")
    assert len(found) == 24
    assert all(one["class"] == Path(one["file"]).parent.name for one in found)
    assert main(["predict", "shades", str(Path(found[0]["file"]))]) == 0
    assert main(["predict", "shades", "table.csv"]) == 1
    assert main(["train", "pictures.toml", "--set", "data.images=picture"]) == 1
    assert 'data.images is "picture", which is not there. Did you mean "pictures"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("train.stepz=3", "[train]: there is no setting 'stepz'. Did you mean 'steps'?"),
        ("trein.steps=3", "there is no section 'trein'. Did you mean 'train'?"),
        ("train.steps=many", "train.steps is 'many'; give a whole number."),
        ("train.steps=0", "train.steps is 0; it must be at least 1."),
        ("train.epochs=2", "[train]: give one of steps and epochs"),
        ("train.metric=acuracy", "train.metric is 'acuracy', which the model does not measure; it measures 'accuracy'"),
        ("model.type=dnn_clasifier", "model.type is 'dnn_clasifier'; use one of"),
        ("model.type=cnn_classifier", "images is missing; cnn_classifier trains on a folder"),
        ("model.optimizer=adm", "there is no optimizer 'adm'; use one of"),
        ("model.hidden_units=[0]", "model.hidden_units is [0]; give positive sizes"),
        ("model.batch_norm=1", "model.batch_norm is 1; give true or false."),
        ("model.activation=rellu", "rellu"),
        ("data.label=kid", "there is no column 'kid' in \"table.csv\". Did you mean 'kind'?"),
        ("data.file=tabel.csv", 'data.file is "tabel.csv", which is not there. Did you mean "table.csv"?'),
        ("data.validation=1.5", "data.validation is 1.5; give the part of the rows to hold out"),
        ("columns.colr=numeric", "there is no column 'colr' in \"table.csv\". Did you mean 'colour'?"),
        ("columns.colour=numeric", 'columns.colour: the column holds text; use "category" or "hash".'),
        ("columns.colour=categry", "there is no type of column 'categry'. Did you mean 'category'?"),
        ("columns.size={type='bucketized'}", "columns.size: boundaries are missing"),
        ("columns.size={type='identity'}", "columns.size: buckets is missing"),
        ("columns.size=3", 'columns.size is 3; give a type, such as "numeric"'),
        ("data.label=size", "the label 'size' is float32, of too many values for classes; use a regressor."),
        ("steps", "--set steps: write section.name=value"),
    ],
)
def test_a_mistake_in_the_settings(folder: Path, change: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "settings.toml", "--set", change]) == 1
    assert words in capsys.readouterr().err


def test_the_settings_in_the_documents_are_ones(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "estimators.md"
    blocks = re.findall(r"^```toml\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    shown = set()
    for block in blocks:
        (tmp_path / "settings.toml").write_text(block, encoding="utf-8")
        settings = read_settings(tmp_path / "settings.toml")
        shown |= {(section, name) for section, table in settings.text.items() for name in table}
    left_out = {("train", "steps"), ("data", "validation_file"), ("data", "validation_images")}  # named in comments
    known = {(section, name) for section in ("data", "model", "train", "output") for name in settings[section]}
    assert known - shown == left_out


def test_a_mistake_in_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> str:
        assert main(list(arguments)) == 1
        return capsys.readouterr().err

    assert 'there is no file "setings.toml". Did you mean "settings.toml"?' in told("train", "setings.toml")
    assert '"." is a folder' in told("train", ".")
    (folder / "broken.toml").write_text("[data\n")
    assert '"broken.toml" is no TOML' in told("train", "broken.toml")
    for setting in ("type =", "folder =", "label ="):
        (folder / "less.toml").write_text(CONFIG.replace(setting, f"#{setting}", 1))
        assert "is missing" in told("train", "less.toml")
    assert 'there is no folder "nowhere"' in told("predict", "nowhere", "table.csv")
    assert '"." holds no saved model' in told("predict", ".", "table.csv")
    assert main(["train", "settings.toml", "--set", "train.steps=1"]) == 0
    capsys.readouterr()
    assert 'there is no "tble.csv". Did you mean "table.csv"?' in told("predict", "model", "tble.csv")
    rows = (folder / "table.csv").read_text().splitlines()
    (folder / "narrow.csv").write_text("\n".join(row.split(",")[0] for row in rows))
    assert "narrow.csv has no column 'colour'" in told("predict", "model", "narrow.csv")
    assert '"no/out.csv" cannot be written' in told("predict", "model", "table.csv", "--output", "no/out.csv")
    bad = [*rows[:5], "much,red,x,1,small"]
    (folder / "bad.csv").write_text("\n".join(bad))
    assert "much" in told("predict", "model", "bad.csv")
