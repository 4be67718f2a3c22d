"""CIFAR-10 and PROPS are read from the very format that their authors publish, over a real connection."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import pickle
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers import data
from helpers.data import photographs
from helpers.data.downloads import DownloadError, RemoteFile

PIXELS = np.random.default_rng(7)


@dataclass
class Server:
    """A server of files; it may break off after some bytes, and remembers what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    breaks_after: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    def download(self, name: str, content: bytes) -> RemoteFile:
        """Serve a file; return what names it."""
        self.files[f"/{name}"] = content
        digest = hashlib.sha256(content).hexdigest()
        return RemoteFile(f"http://127.0.0.1:{self.port}/{name}", name, f"sha256:{digest}")


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append((self.path, asked))
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            sent, state.breaks_after = content[start : state.breaks_after], None
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = service.server_address[1]
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield state
    service.shutdown()
    thread.join()
    service.server_close()


def tar(files: dict[str, Any]) -> bytes:
    """Return a compressed archive of pickles, as Python 2 wrote them, and of other bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            body = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return stream.getvalue()


def cifar_archive(rows: int = 4) -> tuple[bytes, dict[str, Any]]:
    """Return a small archive in the format of CIFAR-10, and what is in it."""
    batches = {
        name: {
            b"batch_label": name.encode(),
            b"labels": [(number + row) % 10 for row in range(rows)],
            b"data": PIXELS.integers(0, 256, (rows, 3072), dtype=np.uint8),
            b"filenames": [b"a.png"] * rows,
        }
        for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"])
    }
    files = {f"cifar-10-batches-py/{name}": batch for name, batch in batches.items()}
    meta = {b"label_names": [name.encode() for name in data.CIFAR10_CLASSES], b"num_vis": 3072}
    return tar(
        {**files, "cifar-10-batches-py/batches.meta": meta, "cifar-10-batches-py/readme.html": b"<html>"}
    ), batches


def props_archive() -> tuple[bytes, dict[str, Any]]:
    """Return a small archive in the format of PROPS, and what is in it."""
    objects = {
        f"{name}_{number}": {
            "data": PIXELS.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8),
            "labels": [label] * 3,
        }
        for label, name in enumerate(data.PROPS_CLASSES)
        for number in (1, 2)
    }
    meta = {"test_split": [f"{name}_2" for name in data.PROPS_CLASSES]}
    files = {
        f"Progress-Objects-Sample/{name}.pkl": content for name, content in {**objects, "meta": meta}.items()
    }
    return tar(files), objects


@pytest.fixture
def cifar(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    content, batches = cifar_archive()
    monkeypatch.setattr(photographs, "CIFAR10", server.download("cifar-10-python.tar.gz", content))
    return batches


def test_cifar10_has_the_promised_form(cifar: dict[str, Any], tmp_path: Path) -> None:
    split = data.cifar10(15, 5, 4, folder=tmp_path)
    assert [tuple(x.shape) for x in (split.x_train, split.x_val, split.x_test)] == [
        (15, 3, 32, 32),
        (5, 3, 32, 32),
        (4, 3, 32, 32),
    ]
    assert (split.x_train.dtype, split.y_train.dtype) == (torch.float32, torch.int64)
    rows = torch.from_numpy(cifar["test_batch"][b"data"]).to(torch.float32) / 255
    assert torch.equal(split.x_test.flatten(1), rows)
    assert split.y_test.tolist() == cifar["test_batch"][b"labels"]
    everything = torch.cat([split.x_train, split.x_val]).flatten(1)
    known = np.concatenate([cifar[f"data_batch_{n}"][b"data"] for n in range(1, 6)])
    assert sorted((255 * everything).round().to(torch.uint8).tolist()) == sorted(known.tolist())


def test_cifar10_is_fetched_once_and_kept_without_pickle(
    cifar: dict[str, Any], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = data.cifar10(10, 2, 2, folder=tmp_path)
    assert "cifar-10-python.tar.gz: 100%" in capsys.readouterr().err
    (tmp_path / "cifar-10-python.tar.gz").unlink()
    again = data.cifar10(10, 2, 2, folder=tmp_path)
    assert torch.equal(first.x_train, again.x_train)
    assert len(server.asked) == 1
    with np.load(tmp_path / "cifar10.npz", allow_pickle=False) as stored:
        assert stored["x_train"].dtype == np.uint8


def test_a_damaged_file_is_made_again(cifar: dict[str, Any], server: Server, tmp_path: Path) -> None:
    first = data.cifar10(10, 2, 2, folder=tmp_path)
    whole = (tmp_path / "cifar10.npz").read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"nothing"):
        (tmp_path / "cifar10.npz").write_bytes(damaged)
        assert torch.equal(data.cifar10(10, 2, 2, folder=tmp_path).x_val, first.x_val)
    assert len(server.asked) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cifar-10-python.tar.gz", "cifar10.npz"]


def test_a_download_goes_on_where_it_broke_off(cifar: dict[str, Any], server: Server, tmp_path: Path) -> None:
    server.breaks_after = 70_000
    with pytest.raises(DownloadError, match="there is no connection"):
        data.cifar10(10, 2, 2, folder=tmp_path)
    assert (tmp_path / "cifar-10-python.tar.gz.part").stat().st_size == 65_536
    assert len(data.cifar10(10, 2, 2, folder=tmp_path).y_train) == 10
    assert [asked for _, asked in server.asked] == [None, "bytes=65536-"]
    assert not list(tmp_path.glob("*.part"))


def test_a_part_that_is_whole_is_used(cifar: dict[str, Any], server: Server, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz.part").write_bytes(server.files["/cifar-10-python.tar.gz"])
    assert len(data.cifar10(10, 2, 2, folder=tmp_path).y_train) == 10


def test_a_file_that_is_there_needs_no_network(cifar: dict[str, Any], server: Server, tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(server.files["/cifar-10-python.tar.gz"])
    assert len(data.cifar10(10, 2, 2, folder=tmp_path).y_train) == 10
    assert server.asked == []


def spoil(server: Server, change: Callable[[bytes], bytes]) -> None:
    server.files["/cifar-10-python.tar.gz"] = change(server.files["/cifar-10-python.tar.gz"])


def test_another_file_is_refused_and_not_kept(cifar: dict[str, Any], server: Server, tmp_path: Path) -> None:
    spoil(server, lambda content: content[::-1])
    with pytest.raises(DownloadError, match="arrived damaged"):
        data.cifar10(10, 2, 2, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_message_says_what_to_do(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = replace(server.download("a.tar.gz", b""), url=f"http://127.0.0.1:{server.port}/missing")
    monkeypatch.setattr(photographs, "PROPS", gone)
    with pytest.raises(DownloadError, match="the server answered 404"):
        data.props(folder=tmp_path)
    monkeypatch.setattr(photographs, "PROPS", replace(gone, url="http://127.0.0.1:9/missing"))
    with pytest.raises(DownloadError) as caught:
        data.props(folder=tmp_path)
    for words in ("put the file there: ", str(tmp_path / "a.tar.gz"), "data.tabletop()", "no connection"):
        assert words in str(caught.value)


def test_props_has_the_promised_form(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content, objects = props_archive()
    monkeypatch.setattr(photographs, "PROPS", server.download("Progress-Objects-Sample.tar.gz", content))
    split = data.props(20, 10, 30, folder=tmp_path)
    assert (split.x_train.shape, split.x_test.shape) == ((20, 3, 32, 32), (30, 3, 32, 32))
    test = {label: [] for label in range(10)}
    for image, label in zip(split.x_test, split.y_test.tolist(), strict=True):
        test[label].append((255 * image).round().to(torch.uint8).permute(1, 2, 0).numpy().tobytes())
    for label, name in enumerate(data.PROPS_CLASSES):
        assert sorted(test[label]) == sorted(image.tobytes() for image in objects[f"{name}_2"]["data"])
    assert len(split.y_test[:10].unique()) > 3


class Evil:
    """What a pickle may do to whoever reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Make a folder when read."""
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("what", ["evil", "no images", "wrong labels", "no archive", "no batch"])
def test_archives_that_hold_something_else(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    _, batches = cifar_archive(2)
    if what == "no batch":
        del batches["data_batch_3"]
    else:
        batches["data_batch_1"] |= {
            "evil": {b"data": Evil(tmp_path / "PWNED")},
            "no images": {b"data": [1, 2]},
            "wrong labels": {b"labels": [-1, 3]},
            "no archive": {},
        }[what]
    content = b"nothing" if what == "no archive" else tar(batches)
    monkeypatch.setattr(photographs, "CIFAR10", server.download("a.tar.gz", content))
    with pytest.raises(DownloadError, match="does not have the expected content"):
        data.cifar10(1, 1, 1, folder=tmp_path)
    assert not (tmp_path / "PWNED").exists()


def test_more_than_there_is(cifar: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there are 20 images for training"):
        data.cifar10(20, 1, 1, folder=tmp_path)
    with pytest.raises(ValueError, match="there are 4 images for test"):
        data.cifar10(1, 1, 5, folder=tmp_path)
