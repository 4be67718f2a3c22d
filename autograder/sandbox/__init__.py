"""Confine student code in layers, prove them by trying, and refuse to grade if they do not hold."""

from autograder.sandbox.confinement import ENVIRONMENT, Prepared, confine, prepare
from autograder.sandbox.credentials import Lease, lease_uid
from autograder.sandbox.limits import Limits, share_arenas
from autograder.sandbox.memory import slots_that_fit
from autograder.sandbox.plan import SandboxPlan, choose_plan
from autograder.sandbox.probe import Proof, Trial, prove, report, require, rows
from autograder.sandbox.scratch import scratch

__all__ = [
    "ENVIRONMENT",
    "Lease",
    "Limits",
    "Prepared",
    "Proof",
    "SandboxPlan",
    "Trial",
    "choose_plan",
    "confine",
    "lease_uid",
    "prepare",
    "prove",
    "report",
    "require",
    "rows",
    "scratch",
    "share_arenas",
    "slots_that_fit",
]
