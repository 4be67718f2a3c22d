"""Why a file of a hand-in cannot be imported, and the usual causes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_MESSAGE = 500
_MAX_CODE = 200
_INTERNAL = ("PackageRefused",)
"""Exceptions of the kit, which students read by the name of their base."""


@dataclass(frozen=True)
class Problem:
    """Why one module cannot be imported.

    Attributes
    ----------
    file : str
        The module's file: ``"knn.py"``.
    error : str
        What happened: ``"NameError: name 'torch' is not defined"``.
    place : str
        The file in which it happened, perhaps another one that the module imports; empty if it is not known.
    line : int
        The line of that file; 0 if it is not known.
    code : str
        That line.
    cause : str or None
        What usually leads there.
    """

    file: str
    error: str
    place: str = ""
    line: int = 0
    code: str = ""
    cause: str | None = None

    @property
    def where(self) -> str:
        """Line of the file, with the file's name if it is another one; empty if it is not known."""
        if not self.line:
            return ""
        other = f"{self.place}, " if self.place and self.place != self.file else ""
        return f"{other}line {self.line}"

    @property
    def sentence(self) -> str:
        """What happened, and where, in a sentence."""
        where = f"{self.where}: " if self.where else ""
        return f"{self.file} cannot be imported: {where}{self.error.rstrip('.')}."

    def to_plain(self) -> dict[str, Any]:
        """Return the problem as texts and integers."""
        return dict(vars(self))


def locate_problem(
    file: str, error: str, place: str = "", line: int = 0, sources: Mapping[str, str] | None = None
) -> Problem:
    """Return a problem with the line that it arose in, and its likely cause.

    Parameters
    ----------
    sources : mapping of str to str, optional
        File to text, of the hand-in.
    """
    lines = (sources or {}).get(place, "").split("\n")
    code = lines[line - 1].strip()[:_MAX_CODE] if 0 < line <= len(lines) else ""
    error = error[:_MAX_MESSAGE]
    return Problem(file, error, place, line, code, likely_cause(error, code, place or file))


def problem_of(file: str, error: BaseException, sources: Mapping[str, str]) -> Problem:
    """Return the problem of a file whose import raised an exception; `sources` are texts by file."""
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # code of a student's
        message = ""
    kind = next((one.__name__ for one in type(error).__mro__ if one.__name__ not in _INTERNAL), "Exception")
    text = f"{kind[:80]}{': ' if message else ''}{message}"
    return locate_problem(file, text, *_place(error, sources), sources)


def _place(error: BaseException, sources: Mapping[str, str]) -> tuple[str, int]:
    """Return file and line of the innermost line of the hand-in that an exception passed."""
    if isinstance(error, SyntaxError) and error.filename in sources:
        return str(error.filename), error.lineno or 1
    place, frame = ("", 0), error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename in sources:
            place = (frame.tb_frame.f_code.co_filename, frame.tb_lineno)
        frame = frame.tb_next
    return place


def likely_cause(error: str, code: str, file: str) -> str | None:
    """Return what usually leads to an error while a file is imported, or None.

    Parameters
    ----------
    error : str
        Type and message of the exception: ``"EOFError: EOF when reading a line"``.
    code : str
        The line in which it was raised; empty if that is not known.
    file : str
        The file that the line stands in.

    Examples
    --------
    >>> likely_cause("EOFError: EOF when reading a line", "n = int(input())", "knn.py")
    'input() waits for somebody to type, and nobody is there when knn.py is imported'
    """
    for rule in RULES:
        if re.search(rule.error, error[:2000]) and re.search(rule.code, code):
            return rule.cause.format(file=file, **_match_names(rule.error, error[:2000]))
    return None


@dataclass(frozen=True)
class CauseRule:
    """Patterns of an error and of the line that raised it, and the cause, with ``{file}`` to fill in."""

    error: str
    cause: str
    code: str = ""


def _match_names(pattern: str, text: str) -> Mapping[str, str]:
    found = re.search(pattern, text)
    return {name: part[:60] for name, part in found.groupdict("").items()} if found else {}


MAIN = 'move it below `if __name__ == "__main__":`'
_DEFINED_IN_FILE = "only what the file itself defines exists when it is imported"

RULES = (
    CauseRule(
        r"this is a notebook", "a notebook was saved as {file}; save the code of its cells there instead"
    ),
    CauseRule(
        r"this is an? .*, not a Python file",
        "another file was saved as {file}; put the file that you edited in its place, and hand in that",
    ),
    CauseRule(r"the file is empty", "{file} was saved without its content; save it again"),
    CauseRule(r"UTF-16", "{file} was saved as UTF-16 (“Unicode”); save it as UTF-8"),
    CauseRule(r"not utf-8 text|codec can't decode", "{file} was saved in an old encoding; save it as UTF-8"),
    CauseRule(r"null bytes", "{file} is damaged, or was saved in another encoding; save it again as UTF-8"),
    CauseRule(r"a %%\w+ cell", "%%writefile saved a cell that is not Python; delete the lines of that cell"),
    CauseRule(
        r"^(Syntax|Indentation|Tab)Error",
        "two versions of the file were merged; keep one of them, and "
        "delete the lines with <<<<<<<, ======= and >>>>>>>",
        r"^\s*(<{7}|={7}|>{7})",
    ),
    CauseRule(r"^SyntaxError", "lines were copied together with Python's prompt; delete the >>>", r"^\s*>>>"),
    CauseRule(
        r"^SyntaxError",
        "this is a command for a terminal; it belongs in a notebook cell, with a ! before it",
        r"^\s*(pip3?|conda|apt(-get)?|git|cd|ls|wget|curl|unzip|mkdir|python3?) ",
    ),
    CauseRule(
        r"invalid character '[\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb]'",
        "a word processor replaced the quotes with typographic ones; type them again",
    ),
    CauseRule(
        r"non-printable character U\+00A0",
        "a special space was copied from a web page; delete it and type a normal one",
    ),
    CauseRule(
        r"Missing parentheses in call to 'print'", "this is Python 2; write print(...) with parentheses"
    ),
    CauseRule(
        r"^IndentationError: expected an indented block",
        "the line before needs an indented block; write its code, or `pass`",
    ),
    CauseRule(
        r"^(IndentationError|TabError)",
        "lines of one block begin with different spaces, or with spaces and "
        "tabs; let the editor indent the block again",
    ),
    CauseRule(
        r"was never closed|unexpected EOF|EOF while scanning|unterminated",
        "a bracket or quote that opens there is never closed",
    ),
    CauseRule(
        r"'(return|yield|await)' outside (async )?function",
        "this line is not indented like the body of its function",
    ),
    CauseRule(
        r"partially initialized module|circular import",
        "two files import each other; move what both need into one of them, or import it in the function",
    ),
    CauseRule(
        r"attempted relative import",
        "import a file beside {file} without the dot: from utils import ...",
    ),
    CauseRule(
        r"no file (?P<name>\w+)\.py was handed in; this course stands in for .* has no (?P<what>\w+)$",
        "hand in your {name}.py with {file}, or write {what} yourself",
    ),
    CauseRule(
        r"no file (?P<name>[\w]+)\.py was handed in",
        "{name}.py is on your computer but was not handed in "
        "with {file}, or {name} is a package that this course does not use",
    ),
    CauseRule(r"No module named '(?P<name>[\w.]+)'", "{name} is not installed where this ran"),
    CauseRule(
        r"cannot import name '(?P<name>\w+)' from",
        "{name} is spelled differently there, or an older version of that file was handed in",
    ),
    CauseRule(
        r"^NameError: name '(?P<name>np|torch|nn|F|plt|math|random|os|sys|time|pd|copy|tqdm)' is not defined",
        "{file} uses {name} without importing it; an import in the notebook counts only for the notebook",
    ),
    CauseRule(
        r"^NameError: name '(?P<name>\w+)' is not defined",
        "{name} is defined in the notebook, or further down; " + _DEFINED_IN_FILE,
    ),
    CauseRule(
        r"not compiled with CUDA|NVIDIA driver|CUDA-capable|CUDA error|No CUDA",
        "{file} moves something to a GPU when it is imported, and there is none; use device=x.device "
        "in the functions",
    ),
    CauseRule(
        r"^EOFError", "input() waits for somebody to type, and nobody is there when {file} is imported"
    ),
    CauseRule(
        r"^SystemExit",
        "argparse reads a command line, and {file} is imported without one; " + MAIN,
        r"parse_(known_)?args",
    ),
    CauseRule(r"^SystemExit", "{file} ends the program when it is imported; " + MAIN),
    CauseRule(
        r"urlopen|URLError|HTTPError|ConnectionError|Max retries|gaierror|Name or service|name resolution|"
        r"socket|no network|"
        r"Network is unreachable",
        "{file} downloads something when it is imported, and there is no network; " + MAIN,
    ),
    CauseRule(
        r"^(PermissionError|BlockingIOError|OSError|RuntimeError)",
        "{file} starts another process when it is imported, which is not allowed; " + MAIN,
        r"subprocess|Popen|os\.system|Process\(|Pool\(|fork",
    ),
    CauseRule(
        r"^(PermissionError|OSError|FileExistsError|FileNotFoundError)|Parent directory|cannot be opened|"
        r"open file failed",
        "{file} writes a file when it is imported, and no file can be written; " + MAIN,
        r"open\([^)]*['\"][waxrb+]*[wax+]|\.save|savetxt|to_csv|mkdir|makedirs|write_|dump\(|savefig|SummaryWriter|"
        r"download|remove|rmtree|copy",
    ),
    CauseRule(
        r"^(FileNotFoundError|PermissionError|IsADirectoryError|OSError)|No such file",
        "{file} reads a file when it is imported, and your files are not there; load data in the notebook, "
        "or " + MAIN,
    ),
    CauseRule(
        r"^NotImplementedError",
        "{file} calls a function that is not written yet when it is imported; " + MAIN,
    ),
    CauseRule(
        r"CPU time|time limit|did not finish",
        "{file} runs something long when it is imported, such as training; " + MAIN,
    ),
    CauseRule(
        r"^(MemoryError|RuntimeError).*(memory|allocate)|^MemoryError",
        "{file} makes large tensors when it is imported; " + MAIN,
    ),
    CauseRule(r"^RecursionError", "a function calls itself endlessly when {file} is imported"),
)
"""The first rule that fits is told."""
