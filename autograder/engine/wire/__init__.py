"""The wire between grader and worker: frames of bytes, and values inside them. Never pickle.

`docs/wire.md` states the semantics; `tests/autograder/engine/wire/` proves them.
"""
