"""Build the student release from the solutions, prove that it leaks nothing, and publish it."""

import sys

# nbformat imports jsonschema, which spends a second on grammars for addresses that no notebook holds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
