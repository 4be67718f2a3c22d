"""Grade classes of growing size by the command line, and watch pace and memory."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import peaks
from benchmarks.small import MODULE, small_course

_TESTS = 5
_SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Run:
    """One run of `autograder grade`.

    Attributes
    ----------
    count : int
        Submissions.
    start, end : float
        Seconds until the first result, and from the last result to the end of the command.
    seconds_each : float
        Seconds per submission between the first and the last result.
    peak_mb : dict of str to float
        Greatest resident memory of the command, of the grader host, and of its largest other process.
    """

    count: int
    start: float
    end: float
    seconds_each: float
    peak_mb: dict[str, float]


def grade(count: int, *, jobs: int = 2) -> Run:
    """Grade ``count`` copies of a submission with the real command, into a new folder.

    Raises
    ------
    RuntimeError
        The command failed.
    """
    with TemporaryDirectory() as place:
        root = Path(place)
        small_course(root, _TESTS)
        for number in range(count):
            folder = root / "class" / f"s{number:04}"
            folder.mkdir(parents=True)
            (folder / "measured.py").write_text(MODULE)
        output = root / "graded"
        words = ["grade", "measured", str(root / "class"), "-o", str(output), "-j", str(jobs)]
        began = time.time()
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder", *words, "--course", str(root)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        peak: dict[str, float] = {}
        while process.poll() is None:
            for role, megabytes in peaks(process.pid).items():
                peak[role] = max(peak.get(role, 0.0), megabytes)
            time.sleep(_SAMPLE_SECONDS)
        ended = time.time()
        if process.returncode:
            raise RuntimeError(process.communicate()[1])
        written = sorted(path.stat().st_mtime for path in (output / "results").glob("*.json"))
    if len(written) != count:
        raise RuntimeError(f"{len(written)} results of {count} submissions")
    pace = (written[-1] - written[0]) / (count - 1)
    return Run(count, written[0] - began, ended - written[-1], pace, peak)
