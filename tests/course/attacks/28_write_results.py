import json
import os
import tempfile

from toolbox import PLACES, try_to

RESULT = json.dumps(
    {"student": "28_write_results", "score": 20, "max_score": 20, "status": "passed", "PWNED": 1}
)
FOLDERS = (
    PLACES["output"],
    PLACES["output"] + "/results",
    PLACES["course"],
    PLACES["class"],
    "/tmp",
    "/dev/shm",
    ".",
)


def write(path):
    def deed():
        with open(path, "w") as file:
            file.write(RESULT)
        return path

    return deed


def truncate():
    os.truncate(PLACES["output"] + "/results/ada.json", 0)
    return "truncated"


for folder in FOLDERS:
    try_to(f"write into {os.path.basename(folder) or folder}", write(f"{folder}/PWNED.json"))
try_to("write the result of a student", write(PLACES["output"] + "/results/28_write_results.json"))
try_to("write Gradescope's result", write("/autograder/results/results.json"))
try_to("make a temporary file", lambda: tempfile.NamedTemporaryFile(prefix="PWNED", delete=False))
try_to("make a file in memory", lambda: os.memfd_create("PWNED"))
try_to("make a folder", lambda: os.mkdir("/tmp/PWNED-folder") or "made")
try_to("make a link", lambda: os.link(PLACES["secret"], "/tmp/PWNED-secret") or "made")
try_to("cut a result short", truncate)
try_to("open the Python library for writing", lambda: os.open(os.__file__, os.O_WRONLY))


def scale(x, factor):
    os._exit(0)


def twice(function, x):
    return function(function(x))
