"""The pytest plugin of portalloc: what pytest sees of it.

Every pytest run of everybody who has installed the wheel loads this file, whether it uses a fixture or not. So it
imports neither the native module nor anything that pytest has not imported already; submodules do the work, and are
imported when there is some. pytest finds it by its entry point `portalloc`; `-p portalloc`, `-p portalloc_pytest` and
`pytest_plugins = ["portalloc_pytest"]` name it, and `-p no:portalloc` leaves it out.

Public here: the fixtures (`pytest --fixtures`), the options (`pytest --help`) and `PortLeakWarning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if tuple(map(int, pytest.__version__.split(".")[:2])) < (7, 3):
    from portalloc_pytest.refusal import pytest_addoption, pytest_configure
else:
    from portalloc_pytest.fixtures import (
        free_port,
        free_ports,
        isolation,
        listening_socket,
        port_lease,
        portalloc_options,
        portalloc_run,
        portalloc_test,
        run_isolation,
    )
    from portalloc_pytest.hooks import (
        pytest_addoption,
        pytest_collection_finish,
        pytest_configure,
        pytest_configure_node,
        pytest_report_collectionfinish,
        pytest_runtest_makereport,
        pytest_runtest_protocol,
    )

if TYPE_CHECKING:
    from portalloc import PortLeakWarning
else:

    def __getattr__(name: str) -> Any:
        # Importing its package loads the native module.
        if name == "PortLeakWarning":
            from portalloc import PortLeakWarning

            return PortLeakWarning
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "PortLeakWarning",
    "free_port",
    "free_ports",
    "isolation",
    "listening_socket",
    "port_lease",
    "portalloc_options",
    "portalloc_run",
    "portalloc_test",
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_report_collectionfinish",
    "pytest_runtest_makereport",
    "pytest_runtest_protocol",
    "run_isolation",
]
