"""Tests of helpers.data.pictures, and of the drawings behind it."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.data import pictures
from helpers.data.drawing import scenes
from helpers.data.drawing.draws import Draws
from helpers.data.drawing.objects import OBJECTS, Pen

ROOT = Path(__file__).parents[3]
PINNED = "cc6ebaa01dfc785c89a0be8cf523b14503aedb3b4bf7e671be41254b6d3b05b3"
"""SHA-256 of the first pictures and labels; whoever changes a picture raises `pictures.EDITION`, too."""
PRINT_FINGERPRINT = """
import hashlib
from helpers.data.drawing import scenes
from helpers.data.drawing.draws import Draws
images, labels = scenes.draw_block(Draws(b"fingerprint", 0))
print(hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest())
"""


def sha256(images: torch.Tensor, labels: torch.Tensor) -> str:
    data = (images * 255).round().to(torch.uint8).numpy().tobytes() + labels.numpy().astype("<i8").tobytes()
    return hashlib.sha256(data).hexdigest()


def equal(one: object, other: object) -> bool:
    pairs = zip(astuple(one), astuple(other), strict=True)  # type: ignore[call-overload]
    return all(torch.equal(left, right) for left, right in pairs)


def drawn_again(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every block that is drawn."""
    blocks: list[int] = []
    draw = scenes.draw_block

    def counted(draws: Draws) -> object:
        blocks.append(1)
        return draw(draws)

    monkeypatch.setattr(scenes, "draw_block", counted)
    return blocks


# Pictures


def test_pictures_have_the_promised_form() -> None:
    split = pictures.tabletop(400, 200, 7, cache=False)
    for images, labels, size in (
        (split.x_train, split.y_train, 400),
        (split.x_val, split.y_val, 200),
        (split.x_test, split.y_test, 7),
    ):
        assert images.shape == (size, 3, 32, 32)
        assert images.dtype == torch.float32
        assert 0 <= images.min() <= images.max() <= 1
        assert torch.equal((images * 255).round() / 255, images)
        assert labels.shape == (size,)
        assert labels.dtype == torch.int64


def test_classes_are_balanced_and_in_no_order() -> None:
    split = pictures.tabletop(600, 200, 0, cache=False)
    assert split.y_train.bincount().tolist() == [60] * 10
    assert split.y_val.bincount().tolist() == [20] * 10
    assert not torch.equal(split.y_train[:200], split.y_train[200:400])
    assert split.y_train[:20].unique().numel() > 4
    assert len(pictures.CLASSES) == len(set(pictures.CLASSES)) == 10


def test_pictures_never_change() -> None:
    assert sha256(*pictures.tabletop_images(7, 30)) == PINNED


def test_fewer_pictures_are_the_first_of_more() -> None:
    few, many = pictures.tabletop_images(b"secret", 30), pictures.tabletop_images(b"secret", 410)
    assert torch.equal(few[0], many[0][:30])
    assert torch.equal(few[1], many[1][:30])


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F AVX512_SKX"},
    ],
    ids=["hash seed", "no vector instructions"],
)
def test_pictures_are_the_same_in_every_process(environment: dict[str, str]) -> None:
    images, labels = scenes.draw_block(Draws(b"fingerprint", 0))
    here = hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest()
    command = [sys.executable, "-W", "ignore", "-c", PRINT_FINGERPRINT]
    environment = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_parts_seeds_and_secrets_share_no_picture() -> None:
    first, other = (pictures.tabletop(200, 200, 200, seed=seed, cache=False) for seed in (0, 1))
    hidden = [pictures.tabletop_images(key, 200)[0] for key in (0, b"one secret", b"another")]
    sets = [
        split_part for split in (first, other) for split_part in (split.x_train, split.x_val, split.x_test)
    ]
    everything = torch.cat([*sets, *hidden])
    assert len(everything.flatten(1).unique(dim=0)) == len(everything)
    nearest = torch.cdist(first.x_test.flatten(1), first.x_train.flatten(1)).min()
    assert nearest > 1  # not even nearly the same: a look-up in the training set finds nothing


def test_colors_and_proportions_are_drawn_anew_for_each_part() -> None:
    keys = [pictures._public_key(0, part) for part in ("train", "val", "test", "images")]
    drawn = [Draws(key, "tabletop", block).uniform(0, 1, 2000) for key in keys for block in (0, 1)]
    assert len({numbers.tobytes() for numbers in drawn}) == len(drawn)
    assert abs(np.corrcoef(np.stack(drawn)) - np.eye(len(drawn))).max() < 0.12


@pytest.mark.parametrize("sizes", [(-1, 0, 0), (0, -1, 0), (0, 0, -1)])
def test_negative_sizes_are_refused(sizes: tuple[int, int, int], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="-1 pictures"):
        pictures.tabletop(*sizes, cache=tmp_path)


# Drawings


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_fills_a_good_part_of_its_square_and_stays_in_it(name: str) -> None:
    draws = Draws(b"test", name)
    flat, ones = np.zeros((50, 1, 1), np.float32), np.ones((50, 1, 1), np.float32)
    u, v = ones * scenes.X * np.float32(1.5), ones * scenes.Y * np.float32(1.5)
    pen = Pen(u, v, np.float32(1.5 / 16) * ones, flat, draws)
    OBJECTS[name](pen)
    for array in (pen.cover, pen.tone, pen.mix):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert pen.cover.min() == 0
    assert pen.cover.max() == 1
    assert 0 <= pen.mix.min() <= pen.mix.max() <= 1
    assert pen.tone.min() >= 0
    share = pen.cover.mean(axis=(1, 2))
    assert (share > 0.07).all()
    assert (share < 0.5).all()
    for edge in (pen.cover[:, 0], pen.cover[:, -1], pen.cover[:, :, 0], pen.cover[:, :, -1]):
        assert edge.max() == 0


def test_numbers_are_spread_as_promised() -> None:
    draws = Draws(b"test", "spread")
    numbers = draws.uniform(-1, 3, 20000)
    assert numbers.dtype == np.float32
    assert -1 <= numbers.min() < -0.99
    assert 2.99 < numbers.max() <= 3
    assert abs(numbers.mean() - 1) < 0.05
    assert draws.chance(0.2, 20000).mean() == pytest.approx(0.2, abs=0.02)
    assert abs(draws.signs(20000).mean()) < 0.05
    noise = draws.noise(3, 4, 1001)
    assert noise.shape == (3, 4, 1001)
    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(6**-0.5, abs=0.02)
    assert sorted(draws.order(50).tolist()) == list(range(50))


# Cache


def test_pictures_are_kept_without_pickle_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new" / "folder"
    blocks = drawn_again(monkeypatch)
    first = pictures.tabletop(30, 20, 10, cache=folder)
    assert len(blocks) == 3
    names = {f"tabletop-{pictures.EDITION}-0-{part}.npz" for part in ("train-30", "val-20", "test-10")}
    assert {path.name for path in folder.iterdir()} == names
    for path in folder.iterdir():
        with np.load(path, allow_pickle=False) as stored:
            assert {name: stored[name].dtype for name in stored} == {"images": np.uint8, "labels": np.int64}
    assert equal(first, pictures.tabletop(30, 20, 10, cache=folder))
    assert len(blocks) == 3
    assert equal(first, pictures.tabletop(30, 20, 10, cache=False))
    assert not equal(first, pictures.tabletop(30, 20, 10, seed=1, cache=folder))


def test_a_caller_may_change_what_it_got(tmp_path: Path) -> None:
    pictures.tabletop(10, 0, 0, cache=tmp_path).x_train.zero_()
    assert pictures.tabletop(10, 0, 0, cache=tmp_path).x_train.sum() > 0


def damaged_files(whole: bytes, folder: Path) -> dict[str, bytes]:
    """Return contents that are no good copy of a file of the cache, by what is wrong."""
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    images, labels = np.zeros((20, 3, 32, 32), np.uint8), np.zeros(20, np.int64)
    contents = {"empty": b"", "cut": whole[:-100], "flipped": bytes(flipped), "text": b"no pictures"}
    arrays = {
        "other size": {"images": images[:5], "labels": labels},
        "other type": {"images": images.astype(np.float32), "labels": labels},
        "one missing": {"images": images},
        "objects": {"images": images, "labels": np.array([print] * 20, dtype=object)},
    }
    for name, stored in arrays.items():
        np.savez(folder / "scratch.npz", **stored)  # type: ignore[arg-type]
        contents[name] = (folder / "scratch.npz").read_bytes()
    return {**contents, "pickle": pickle.dumps({"images": images, "labels": labels})}


def test_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache"
    expected = pictures.tabletop(20, 0, 0, cache=folder)
    file = folder / f"tabletop-{pictures.EDITION}-0-train-20.npz"
    whole = file.read_bytes()
    blocks = drawn_again(monkeypatch)
    for name, content in damaged_files(whole, tmp_path).items():
        file.write_bytes(content)
        blocks.clear()
        assert equal(pictures.tabletop(20, 0, 0, cache=folder), expected), name
        assert len(blocks) == 1, name
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None, name
    assert len(list(folder.iterdir())) == 3


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    split = pictures.tabletop(10, 0, 0, cache=tmp_path / "file")
    assert equal(split, pictures.tabletop(10, 0, 0, cache=False))


def test_the_default_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"tabletop-{pictures.EDITION}-0-train-10.npz"
    monkeypatch.delenv("COURSEGRAD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pictures.tabletop(10, 0, 0)
    assert (tmp_path / "coursegrad" / name).exists()
    monkeypatch.setenv("COURSEGRAD_CACHE", str(tmp_path / "named"))
    pictures.tabletop(10, 0, 0)
    assert (tmp_path / "named" / name).exists()
