"""The plugin with other versions of pytest: refused with a sentence, or with every fixture and option.

`make` installs them, each in a virtual environment of its own, which portalloc is lent by PYTHONPATH.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from plugin_support import unavailable
from test_plugin_options import FILES, MEANT, WRONG_INI, refused, told

if TYPE_CHECKING:
    from plugin_support import Inner

PLACE = Path(__file__).parents[3] / "target" / "pytests"

TOO_OLD = ["6.2.5", "7.2.2"]
INI_ONLY = ["7.3.0", "8.3.5"]
NATIVE = ["9.0.0"]


@pytest.fixture
def with_pytest(request: pytest.FixtureRequest, inner: Inner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the inner suite with the pytest of this version."""
    version: str = request.param
    python = PLACE / version / "bin" / "python"
    if not python.exists():
        unavailable(f"make pytests has not installed pytest {version}")
    ours = importlib.metadata.distribution("portalloc")
    assert ours.files is not None
    for name in {file.parts[0] for file in ours.files if file.parts[0].startswith("portalloc")}:
        (tmp_path / name).symlink_to(Path(str(ours.locate_file(name))))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    inner.python = str(python)
    return version


def versions(*chosen: list[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("with_pytest", [one for group in chosen for one in group], indirect=True)


@versions(TOO_OLD)
@pytest.mark.parametrize("arguments", [(), ("-pportalloc",), ("-pportalloc_pytest",)])
def test_one_that_is_too_old_is_refused_with_a_sentence(
    inner: Inner, with_pytest: str, arguments: tuple[str, ...]
) -> None:
    inner.suite("def test_nothing(): pass")
    result = inner.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        f"ERROR: the plugin portalloc needs pytest 7.3 or newer, and this is pytest {with_pytest}: "
        "install a newer one, or leave the plugin out with -p no:portalloc"
    ]
    inner.run("-pno:portalloc").assert_outcomes(passed=1)


@versions(INI_ONLY, NATIVE)
def test_every_fixture(inner: Inner, with_pytest: str) -> None:
    inner.conftest("pytest_plugins = ['portalloc_pytest']\n")
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true\nportalloc_leak = error")
    inner.suite(
        """
        import socket
        import pytest

        def test_all(free_port, free_ports, port_lease, listening_socket, isolation, run_isolation,
                     unused_tcp_port, unused_udp_port_factory, record):
            every = [free_port, *free_ports(2), *port_lease(2), listening_socket.getsockname()[1], *isolation.ports,
                     *run_isolation.ports, unused_tcp_port, unused_udp_port_factory()]
            record(version=pytest.__version__, all_differ=len(set(every)) == len(every))

        def test_fails(isolation):
            (isolation.temp_dir / "log").touch()
            socket.socket().bind(("127.0.0.1", 1 << 16))
        """
    )
    result = inner.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["portalloc: pool *", "files of environment *"])
    result.stdout.no_fnmatch_line("*could not explain*")
    assert inner.record()["version"] == with_pytest
    assert inner.record()["all_differ"]


@versions(INI_ONLY)
@pytest.mark.parametrize("form", ["pytest.ini", "ini_options, quoted", "ini_options"])
def test_the_forms_of_a_configuration_that_it_knows(inner: Inner, with_pytest: str, form: str) -> None:  # noqa: ARG001
    name, text = FILES[form]
    (inner.path / name).write_text(text)
    assert told(inner) == MEANT


@versions(NATIVE)
@pytest.mark.parametrize("form", FILES)
def test_all_forms_of_a_configuration(inner: Inner, with_pytest: str, form: str) -> None:  # noqa: ARG001
    name, text = FILES[form]
    (inner.path / name).write_text(text)
    assert told(inner) == MEANT


@versions(INI_ONLY, NATIVE)
@pytest.mark.parametrize(("name", "value"), WRONG_INI)
def test_a_wrong_ini_line_is_a_usage_error(inner: Inner, with_pytest: str, name: str, value: str) -> None:  # noqa: ARG001
    inner.pytester.makeini(f"[pytest]\n{name} = {value}")
    refused(inner, name, value)
