import ctypes
import glob
import importlib.machinery
import io
import itertools
import linecache
import mmap
import os
import pathlib

import numpy
import torch
from toolbox import PLACES, libc, system_call, try_to

SUITE = PLACES["suite"]
FOLDER = os.path.dirname(SUITE)


def through_folder():
    place = os.open(FOLDER, os.O_PATH)
    return os.read(os.open("test_hidden.py", os.O_RDONLY, dir_fd=place), 100)


def through_descriptor():
    place = os.open(SUITE, os.O_PATH)
    return os.read(os.open(f"/proc/self/fd/{place}", os.O_RDONLY), 100)


def through_libc():
    descriptor = libc().open(SUITE.encode(), 0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "open")
    return os.read(descriptor, 100)


def mapped():
    with open(SUITE, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:100]


def linked():
    link = PLACES["output"] + "/PWNED-link"
    os.symlink(SUITE, link)
    return open(link).read()


def attack():
    try_to("open the hidden tests", lambda: open(SUITE).read())
    try_to(
        "open them with the course as current folder",
        lambda: os.chdir(FOLDER) or open("test_hidden.py").read(),
    )
    try_to("open them with pathlib", lambda: pathlib.Path(SUITE).read_bytes())
    try_to("open them as code", lambda: io.open_code(SUITE).read())
    try_to("open them by libc", through_libc)
    try_to("open them by folder", through_folder)
    try_to("open them by descriptor", through_descriptor)
    try_to("open them by handle", lambda: system_call(303, -100, SUITE.encode(), bytes(200), bytes(8), 0))
    try_to("map them", mapped)
    try_to("link to them", linked)
    try_to("read them as source lines", lambda: linecache.getlines(SUITE))
    try_to("read them as a module", lambda: importlib.machinery.SourceFileLoader("x", SUITE).get_data(SUITE))
    try_to("read them with numpy", lambda: numpy.fromfile(SUITE, dtype=numpy.uint8).tobytes())
    try_to(
        "read them with torch",
        lambda: torch.from_file(SUITE, size=9, dtype=torch.uint8).tolist(),
        RuntimeError,
    )
    try_to("list the suite", lambda: os.listdir(FOLDER))
    try_to("find them", lambda: glob.glob(f"{PLACES['course']}/**/*hidden*", recursive=True))
    try_to("walk the machine", lambda: [row for row in itertools.islice(os.walk("/"), 3) if row[1] or row[2]])
    try_to("open the secret", lambda: open(PLACES["secret"]).read())
    try_to("open the reference", lambda: open(PLACES["reference"]).read())


def twice(function, x):
    attack()
    return function(function(x))
