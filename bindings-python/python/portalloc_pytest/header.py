"""The line of pytest's header that says which ports this run uses, and where leases are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portalloc_pytest.options import Options


def lines(options: Options) -> list[str]:
    """Never raises: a suite that does not use a fixture of ours must not fail by its header."""
    try:
        import warnings

        import portalloc

        with warnings.catch_warnings():
            # Those of the pool are lines of the header.
            warnings.simplefilter("ignore", portalloc.PortallocWarning)
            settings = portalloc.settings(pool=options.pool, exclude=options.exclude)
    except Exception as error:  # noqa: BLE001
        return [f"portalloc: not usable: {error}"]
    line = f"portalloc: pool {settings.pool} ({settings.count} ports), registry {settings.directory}"
    return [line, *(f"portalloc: warning: {warning}" for warning in settings.warnings)]
