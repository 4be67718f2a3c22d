"""The numbers of system calls: those of the kernel's headers, where they are installed, and their rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.sandbox import syscalls

HEADERS = {
    "aarch64": ("/usr/include/asm-generic/unistd.h", "/usr/aarch64-linux-gnu/include/asm-generic/unistd.h"),
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
}
"""aarch64 has no table of its own: it uses the generic one, which every machine's headers hold."""

DEFINITION = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", re.MULTILINE)
GENERIC_64_BIT = {"newfstatat": "fstatat"}
"""Calls that the generic table names otherwise before it knows the width of the machine."""


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_numbers_are_those_of_the_headers(machine: str) -> None:
    text = next((Path(path).read_text() for path in HEADERS[machine] if Path(path).exists()), None)
    if text is None:
        pytest.skip("the kernel's headers are not installed")
    stated = {name: int(number) for name, number in DEFINITION.findall(text)}
    ours = syscalls.numbers(machine)
    names = {name: GENERIC_64_BIT.get(name, name) if machine == "aarch64" else name for name in ours}
    newest = max(stated.values())
    known = {name: number for name, number in ours.items() if number <= newest}
    assert len(known) > 100
    assert {name: stated.get(names[name]) for name in known} == known


def test_new_calls_have_one_number_and_old_ones_none_of_theirs() -> None:
    x86, arm = (syscalls.numbers(machine) for machine in syscalls.ARCHITECTURES)
    for name in {*x86, *arm}:
        if max(x86.get(name, 0), arm.get(name, 0)) >= syscalls.FIRST_SHARED:
            assert x86[name] == arm[name], name
    # Between these two lie the calls of 32-bit machines only.
    assert not {number for numbers in (x86, arm) for number in numbers.values() if 335 <= number < 424}
    assert not {number for number in arm.values() if 295 <= number < 424}


def test_a_machine_without_a_table_knows_the_numbers_that_all_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landlock and close_range work on every architecture; the filter needs a table."""
    monkeypatch.setattr(syscalls, "architecture", lambda: None)
    number = syscalls.number.__wrapped__
    assert (number("landlock_create_ruleset"), number("close_range")) == (444, 436)
    with pytest.raises(KeyError):
        number("ptrace")


def test_what_only_the_oldest_architecture_has_is_old() -> None:
    """Each has a successor on both: aarch64 never had it, since it came with the generic table."""
    x86, arm = (syscalls.numbers(machine) for machine in syscalls.ARCHITECTURES)
    assert set(arm) <= set(x86)
    assert max(x86[name] for name in set(x86) - set(arm)) < 235
