import importlib

pytest = importlib.import_module("pytest")
pytest.skip("not for me", allow_module_level=True)
