"""Large files from the network: fetched once, resumed where they broke off, and known by their digest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

_CHUNK = 1 << 16
_TIMEOUT_SECONDS = 30


class DownloadError(Exception):
    """A file could not be fetched; the message says what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """A file on the network.

    Attributes
    ----------
    url : str
        Where it is.
    name : str
        What it is called in the cache.
    digest : str
        ``sha256:`` or ``md5:`` and the digest of its bytes in hexadecimal digits, as its authors state it.
    """

    url: str
    name: str
    digest: str

    def fetch(self, folder: Path) -> Path:
        """Return the file in `folder`, downloaded unless it is there already.

        A download that breaks off leaves what it got in ``NAME.part``; the next one goes on from there.

        Raises
        ------
        DownloadError
            It cannot be reached, or what came is not the file that it should be.
        """
        path = folder / self.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = _part_of(path)
            pooch.retrieve(
                self.url,
                self.digest,
                fname=self.name,
                path=folder,
                downloader=lambda url, output_file, _: _go_on(part, url, output_file),
            )
        except ValueError as error:  # pooch's word for a wrong digest
            _part_of(path).unlink(missing_ok=True)
            raise self._download_error(f"arrived damaged ({error})", path) from None
        except OSError as error:  # requests' exceptions are among these
            raise self._download_error(f"could not be downloaded: {_reason(error)}", path) from None
        return path

    def _download_error(self, problem: str, path: Path) -> DownloadError:
        remedy = (
            f"Run this again later, or put the file there: {path}. Without a network, use data.tabletop()."
        )
        return DownloadError(f"{self.name}, from {self.url}, {problem}. {remedy}")


def _reason(error: OSError) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.RequestException):
        return "there is no connection"
    return error.strerror or type(error).__name__


def _part_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _go_on(part: Path, url: str, output_file: str | os.PathLike[str]) -> None:
    """Append the rest of the file to its part, then put it where pooch wants it."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
        if response.status_code != requests.codes.requested_range_not_satisfiable:  # the part is all there is
            response.raise_for_status()
            _receive(response, part, done if response.status_code == requests.codes.partial_content else 0)
    part.replace(output_file)


def _receive(response: requests.Response, part: Path, done: int) -> None:
    rest = response.headers.get("Content-Length", "")
    total = done + int(rest) if rest.isdigit() else None
    with (
        part.open("ab" if done else "wb") as file,
        tqdm(desc=part.stem, total=total, initial=done, unit="B", unit_scale=True) as bar,
    ):
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
