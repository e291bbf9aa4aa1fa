"""The line of pytest's header that says which ports this run uses, and where its registry is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portalloc_pytest.options import Options


def lines(options: Options) -> list[str]:
    """Never raises: the header must not fail a suite that uses none of our fixtures."""
    try:
        import warnings

        import portalloc
        from portalloc import tools

        with warnings.catch_warnings():
            # The header has a line for each warning about the pool.
            warnings.simplefilter("ignore", portalloc.PortallocWarning)
            settings = tools.settings(pool=options.pool, exclude=options.exclude)
    except Exception as error:  # noqa: BLE001
        return [f"portalloc: not usable: {error}"]
    line = f"portalloc: pool {settings.pool} ({settings.count} ports), registry {settings.directory}"
    return [line, *(f"portalloc: warning: {warning}" for warning in settings.warnings)]
