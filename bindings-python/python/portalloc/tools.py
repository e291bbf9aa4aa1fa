"""For tools around portalloc, and for the tests that hold all languages to the same behaviour.

``settings`` says which registry and pool a call would use, ``doctor`` whether portalloc keeps its promises
on this machine, ``render`` writes variables for a shell or a file,
``parse_id`` checks an isolation ID.
"""

from ._portalloc import Settings, doctor, error_codes, parse_id, render, settings

__all__ = ["ERROR_CODES", "Settings", "doctor", "parse_id", "render", "settings"]

#: The stable codes of all errors, the same in every language.
ERROR_CODES: tuple[str, ...] = error_codes()
