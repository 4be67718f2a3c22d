"""A runtime of Colab loads ``google.colab`` before anything of the student's runs."""

import google.colab  # noqa: F401
