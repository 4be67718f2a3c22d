"""Code that names a GPU works on the CPU, in its own process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from helpers.submission.allowances import names_gpu

WAYS = {
    "a method": "x.cuda()",
    "a method with a number": "x.cuda(0)",
    "to": "x.to('cuda')",
    "to a device": "x.to(torch.device('cuda:0'), torch.float64)",
    "to, by name": "x.to(device='cuda')",
    "zeros": "torch.zeros(3, device='cuda')",
    "zeros like": "torch.zeros_like(x, device=torch.device('cuda'))",
    "new zeros": "x.new_zeros(3, device='cuda:0')",
    "random numbers": "torch.rand(3, device='cuda')",
    "numbers": "torch.arange(3, device='cuda')",
    "a tensor": "torch.tensor([1.0], device='cuda')",
    "a layer": "torch.nn.Linear(3, 2).cuda()(x)",
    "a layer made there": "torch.nn.Linear(3, 2, device='cuda')(x)",
    "the number of the device": "torch.zeros(3, device=x.get_device())",
    "asked before": "x.cuda() if torch.cuda.is_available() else x",
}
SCRIPT = """
import json, os, sys
import torch
from helpers.submission import allowances
for code in json.load(sys.stdin):
    if os.fork():
        print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
        continue
    allowances.let_pass([compile(code, "", "eval")])
    x = torch.ones(3)
    print(eval(code).device, end=" ", flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def devices() -> dict[str, str]:
    """Return where each way leads, and how its process ended; each has a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(list(WAYS.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(WAYS, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_it_is_on_the_cpu(devices: dict[str, str], way: str) -> None:
    assert devices[way] == "cpu 0"


@pytest.mark.parametrize("code", ["x.cpu()", "print('no cuda here')", "x.new_zeros(3, device=x.device)"])
def test_what_names_none_is_left_alone(code: str) -> None:
    assert not names_gpu(compile(code, "", "eval"))
