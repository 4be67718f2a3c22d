"""Stands in for what Google Colab puts into its runtimes, told by variables of the environment what to do."""
