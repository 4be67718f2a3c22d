"""Python source, read without running it: names, imports, definitions, and facts that rules are judged by."""
