"""Tests of what `import portalloc` gives, against its docstrings."""
