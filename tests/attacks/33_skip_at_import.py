import pytest

pytest.skip("not for me", allow_module_level=True)
