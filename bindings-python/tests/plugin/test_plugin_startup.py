"""What the plugin costs a run that does not use it: nothing is imported, said or made. And what pytest tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from portalloc import tools

if TYPE_CHECKING:
    from plugin_support import Inner

# Tells at the very end which modules the process has. In one write, because the workers end at the same time.
TELLS_MODULES = """
import sys

def pytest_unconfigure(config):
    facts = {"modules": sorted(sys.modules), "worker": hasattr(config, "workerinput")}
    line = (json.dumps(facts) + chr(10)).encode()
    file = os.open(os.environ["RECORDS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    assert os.write(file, line) == len(line)
    os.close(file)
"""

LIGHT = {"portalloc_pytest", *(f"portalloc_pytest.{name}" for name in ("fixtures", "hooks", "naming", "options"))}

# What xdist's controller has beside them.
FOR_WORKERS = {f"portalloc_pytest.{name}" for name in ("board", "run", "run_leaks", "shared_run")}


def ours(modules: list[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] in ("portalloc", "portalloc_pytest")}


@pytest.mark.parametrize("arguments", [(), ("-n0",), ("--collect-only",), ("-v",), ("--setup-show",)])
def test_a_run_without_our_fixtures_imports_nothing(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.conftest(TELLS_MODULES)
    inner.suite(
        """
        import pytest

        @pytest.fixture
        def free_port():
            return 8080

        def test_passes(tmp_path): pass

        def test_with_a_fixture_of_that_name(free_port): pass

        @pytest.mark.xfail
        def test_xfails(): assert False
        """
    )
    result = inner.run(*arguments)
    assert result.ret == pytest.ExitCode.OK
    assert ours(inner.record()["modules"]) == LIGHT
    assert "portalloc:" not in result.stdout.str()


def test_a_failure_of_another_kind_is_read_and_nothing_is_said_of_it(inner: Inner) -> None:
    inner.conftest(TELLS_MODULES)
    inner.suite("def test_fails():\n    assert False\n")
    result = inner.run()
    result.assert_outcomes(failed=1)
    # The extension, which knows what a conflict looks like, and what it needs.
    loaded = {name for name in ours(inner.record()["modules"]) if name.startswith("portalloc.")}
    assert loaded == {"portalloc._portalloc", "portalloc.errors"}
    assert "portalloc:" not in result.stdout.str()


@pytest.mark.parametrize("arguments", [("-n2",), ("-n2", "--dist=loadgroup", "-v"), ("-n1", "-x")])
def test_nor_does_one_of_xdist(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.conftest(TELLS_MODULES)
    inner.suite("import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_passes(n): pass\n")
    result = inner.run(*arguments)
    result.assert_outcomes(passed=4)
    loaded = [(record["worker"], ours(record["modules"])) for record in inner.records()]
    workers = 1 if "-n1" in arguments else 2
    assert sorted(worker for worker, _ in loaded) == [False] + [True] * workers
    assert all(modules == (LIGHT if worker else LIGHT | FOR_WORKERS) for worker, modules in loaded)
    assert "portalloc:" not in result.stdout.str()
    assert not (inner.path / "registry").exists()


def test_its_own_imports_are_those_of_pytest(inner: Inner) -> None:
    inner.conftest(TELLS_MODULES)
    inner.suite("def test_passes(): pass\n")
    inner.run().assert_outcomes(passed=1)
    inner.run("-pno:portalloc").assert_outcomes(passed=1)
    with_it, without_it = (set(record["modules"]) for record in inner.records())
    assert with_it - without_it == LIGHT


def test_it_can_be_switched_off(inner: Inner) -> None:
    inner.suite("def test_wants(free_port): pass\n")
    result = inner.run("-pno:portalloc")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'free_port' not found*"])


NAMED = "pytest_plugins = ['portalloc_pytest']\n"


@pytest.mark.parametrize("autoload", ["autoload", ""])
@pytest.mark.parametrize(
    ("arguments", "conftest"),
    [
        (("-pportalloc",), ""),
        (("-pportalloc_pytest",), ""),
        ((), NAMED),
        (("-pportalloc",), NAMED),
        (("-pportalloc_pytest", "-pportalloc"), NAMED),
    ],
)
def test_it_may_be_named_however_often(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], conftest: str, autoload: str
) -> None:
    if not autoload:
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        arguments += ("-pxdist",)
    inner.conftest(conftest)
    inner.suite("def test_has(free_port, run_isolation): pass\n")
    for workers in ("-n0", "-n2"):
        result = inner.run("-Werror", f"--portalloc-pool={inner.pool}", workers, *arguments)
        result.assert_outcomes(passed=1)
        assert sum("portalloc: pool" in line for line in result.outlines) == 1


def test_a_test_module_may_name_it(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    inner.suite(NAMED + "def test_has(free_port, run_isolation): pass\n")
    inner.run("-Werror").assert_outcomes(passed=1)


@pytest.mark.parametrize("fixture", ["free_port", "listening_socket", "isolation", "run_isolation", "mine"])
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_header_names_pool_and_registry(inner: Inner, fixture: str, workers: str) -> None:
    inner.conftest("@pytest.fixture\ndef mine(port_lease):\n    return port_lease()\n")
    inner.suite(f"def test_uses({fixture}): pass\n")
    result = inner.run(workers)
    result.assert_outcomes(passed=1)
    settings = tools.settings()
    assert settings.pool == inner.pool
    line = f"portalloc: pool {inner.pool} ({settings.count} ports), registry {settings.directory}"
    assert result.outlines.count(line) == 1
    assert result.outlines.index(line) < next(n for n, text in enumerate(result.outlines) if text.endswith("[100%]"))


def test_the_header_knows_the_options(inner: Inner) -> None:
    inner.pytester.makeini(f"[pytest]\nportalloc_exclude = {inner.ports[0]}-{inner.ports[4]}")
    inner.suite("def test_uses(free_port): pass\n")
    pool = f"{inner.ports[0]}-{inner.ports[9]}"
    result = inner.run(f"--portalloc-pool={pool}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"portalloc: pool {pool} (5 ports), registry *"])


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_header_that_cannot_be_made_fails_nothing(inner: Inner, workers: str) -> None:
    inner.suite("def test_passes(): pass\n\ndef test_uses(free_port): pass\n")
    result = inner.run(workers, "--portalloc-pool=nonsense")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["portalloc: not usable: *nonsense*"])


@pytest.mark.parametrize("arguments", [("-q",), ("--no-header",), ("-q", "-n1"), ("--no-header", "-n1")])
def test_quiet_runs_have_no_header(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.suite("def test_uses(free_port): pass\n")
    result = inner.run(*arguments)
    result.assert_outcomes(passed=1)
    assert "portalloc:" not in result.stdout.str()


def test_help_tells_the_options(inner: Inner) -> None:
    text = inner.run("--help").stdout.str()
    for name in (
        "--portalloc-pool=PORTS",
        "--portalloc-leak={warn,error,off}",
        "portalloc_pool (string)",
        "portalloc_exclude (string)",
        "portalloc_leak (string)",
        "portalloc_timeout (string)",
        "portalloc_asyncio_fixtures (bool)",
    ):
        assert name in text


def test_fixtures_are_documented(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true")
    text = inner.run("--fixtures").stdout.str()
    for name in (
        "free_port",
        "free_ports",
        "port_lease",
        "listening_socket",
        "isolation",
        "run_isolation [session scope]",
        "unused_tcp_port",
        "unused_udp_port",
        "unused_tcp_port_factory [session scope]",
        "unused_udp_port_factory [session scope]",
    ):
        lines = text.splitlines()
        (place,) = [number for number, line in enumerate(lines) if line.startswith(f"{name} -- ")]
        assert "portalloc_pytest" in lines[place]
        assert lines[place + 1].strip() not in ("", "no docstring available")
    assert "_portalloc" not in text.replace("portalloc_pytest", "")
