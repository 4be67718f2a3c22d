"""The wire between grader and worker: frames of bytes, and values inside them. Never pickle.

`docs/wire.md` states the semantics; `tests/test_wire_*.py` prove them.
"""
