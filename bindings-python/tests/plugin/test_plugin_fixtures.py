"""Each fixture does what its docstring says, in a run of one process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from plugin_support import until

if TYPE_CHECKING:
    from plugin_support import Inner

SHOULD_BE_SILENT = "-Werror::portalloc.PortLeakWarning"


def test_free_port_is_held_for_the_test_and_no_longer(inner: Inner) -> None:
    inner.suite(
        """
        import socket, portalloc

        def test_first(free_port, record):
            record(port=free_port, free=portalloc.is_free(free_port), leases=len(portalloc.leases()))
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as one:
                    one.bind(("", free_port))

        def test_second(record):
            record(leases=len(portalloc.leases()))
        """
    )
    inner.run(SHOULD_BE_SILENT).assert_outcomes(passed=2)
    first, second = inner.records()
    assert type(first["port"]) is int
    assert first["port"] in inner.ports
    assert not first["free"]
    assert first["leases"] == 1
    assert second["leases"] == 0


def test_free_port_is_one_port_for_a_test_and_its_fixtures(inner: Inner) -> None:
    inner.suite(
        """
        import pytest

        @pytest.fixture
        def server_port(free_port):
            return free_port

        def test_same(free_port, server_port):
            assert free_port == server_port
        """
    )
    inner.run().assert_outcomes(passed=1)


def test_free_ports_by_count_and_by_names(inner: Inner) -> None:
    inner.suite(
        """
        import portalloc

        def test_many(free_ports, record):
            record(count=free_ports(3), names=free_ports(names=["web", "db"]), iterator=free_ports(names=iter(["x"])),
                   again=free_ports(3), held=sorted(port for lease in portalloc.leases() for port in lease.ports))
        """
    )
    inner.run().assert_outcomes(passed=1)
    seen = inner.record()
    assert list(seen["names"]) == ["web", "db"]
    assert list(seen["iterator"]) == ["x"]
    every = [*seen["count"], *seen["names"].values(), *seen["iterator"].values(), *seen["again"]]
    assert len(every) == 3 + 2 + 1 + 3
    assert sorted(every) == seen["held"]
    assert set(every) <= set(inner.ports)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("free_ports()", "TypeError"),
        ("free_ports(2, names=['a', 'b'])", "TypeError"),
        ("free_ports(names='web')", "TypeError"),
        ("free_ports(names=['a', 'a'])", "ValueError"),
        ("free_ports(0)", "ValueError"),
    ],
)
def test_free_ports_refuses_what_makes_no_sense(inner: Inner, call: str, error: str) -> None:
    inner.suite(
        f"""
        import portalloc, pytest

        def test_wrong(free_ports):
            with pytest.raises({error}):
                {call}
            assert portalloc.leases() == []
        """
    )
    inner.run().assert_outcomes(passed=1)


def test_port_lease_takes_the_arguments_of_lease(inner: Inner) -> None:
    inner.suite(
        f"""
        import portalloc, pytest

        kept = []

        def test_shapes(port_lease):
            # The numbered ones first: the others get any port of the pool, and might get theirs.
            specific = port_lease(exact=[{inner.ports[7]}])
            assert list(specific) == [{inner.ports[7]}]
            assert port_lease(pool="{inner.ports[100]}", wait=1).port == {inner.ports[100]}
            barred = "{inner.ports[0]}-{inner.ports[-2]}"
            assert port_lease(exclude=barred).port == {inner.ports[-1]}
            with pytest.raises(portalloc.PoolExhaustedError):
                port_lease(exclude=barred)
            kept.append(port_lease())
            spread = port_lease(offsets=[0, 2, 5])
            assert [port - spread[0] for port in spread] == [0, 2, 5]
            assert len(port_lease(4, scattered=True)) == 4
            assert port_lease(guard=True).guard_state == "exclusive"
            given_back = port_lease()
            given_back.release()
            with port_lease() as lease:
                assert not lease.released
            assert lease.released
            assert len(portalloc.leases()) == 7

        def test_all_released():
            assert portalloc.leases() == []
            assert kept[0].released
        """
    )
    inner.run(SHOULD_BE_SILENT).assert_outcomes(passed=2)


def test_listening_socket_is_passed_to_the_server(inner: Inner) -> None:
    inner.suite(
        """
        import socket, portalloc

        kept = []

        def test_accepts(listening_socket, record):
            host, port = listening_socket.getsockname()
            with socket.create_connection((host, port), timeout=10) as client:
                accepted, _ = listening_socket.accept()
                with accepted:
                    client.sendall(b"hello")
                    assert accepted.recv(5) == b"hello"
            report = portalloc.who(port)
            record(host=host, port=port, leased=report.leased, states=[entry.state for entry in report.sockets
                                                                       if entry.state != "time_wait"])
            kept.append(listening_socket)

        def test_is_closed():
            assert kept[0].fileno() == -1

        def test_may_be_replaced_by_a_server_without_reuse(listening_socket):
            address = listening_socket.getsockname()
            listening_socket.close()
            with socket.socket() as server:
                server.bind(address)
                server.listen()
        """
    )
    inner.run(SHOULD_BE_SILENT).assert_outcomes(passed=3)
    seen = inner.record()
    assert seen["host"] == "127.0.0.1"
    assert seen["port"] in inner.ports
    assert seen["leased"]
    assert "listen" in seen["states"]
    assert "bound" not in seen["states"], "the guard is still there"


def test_nobody_comes_between_lease_and_listening_socket(inner: Inner) -> None:
    inner.conftest(
        """
import errno, socket
from portalloc_pytest.holding import Holder

take = Holder.lease

def take_and_be_robbed(self, *arguments, **options):
    lease = take(self, *arguments, **options)
    for reuse in (0, 1):
        with socket.socket() as foreign, pytest.raises(OSError) as caught:
            foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            foreign.bind(("127.0.0.1", lease.port))
        assert caught.value.errno == errno.EADDRINUSE
    return lease

Holder.lease = take_and_be_robbed
"""
    )
    inner.suite("def test_has(listening_socket): pass\n")
    inner.run().assert_outcomes(passed=1)


def test_isolation_is_an_environment_of_the_test(inner: Inner) -> None:
    inner.project('names = ["web", "postgres"]\n[env]\nDATABASE_URL = "postgres://localhost:{postgres}/test"\n')
    inner.suite(
        """
        import os, portalloc

        kept = []

        def test_has_all(isolation, record):
            kept.append(isolation)
            assert isolation.temp_dir.is_dir()
            assert isolation.variables["TEMP_DIR"] == str(isolation.temp_dir)
            assert isolation.variables["WEB_PORT"] == str(isolation.port("web"))
            assert isolation.variables["DATABASE_URL"] == f"postgres://localhost:{isolation['postgres']}/test"
            assert isolation.env_file is None
            record(id=isolation.id, ports=isolation.ports, names=isolation.names, temp=str(isolation.temp_dir),
                   lifetime=isolation.lifetime, exported=sorted(set(isolation.variables) & set(os.environ)),
                   active=[one.isolation_id for one in portalloc.environments()])

        def test_another(isolation, record):
            record(id=isolation.id, active=[one.isolation_id for one in portalloc.environments()])
        """
    )
    files = set(inner.path.iterdir())
    inner.run("-pno:cacheprovider").assert_outcomes(passed=2)
    first, second = inner.records()
    assert first["names"] == ["web", "postgres"]
    assert len(first["ports"]) == 2
    assert set(first["ports"]) <= set(inner.ports)
    assert first["lifetime"] == "held"
    assert first["exported"] == []
    assert first["active"] == [first["id"]]
    assert second["active"] == [second["id"]]
    assert second["id"] != first["id"]
    assert Path(first["temp"]).parent == inner.temp, "short paths are a promise of the core"
    assert not Path(first["temp"]).exists()
    assert {path.name for path in set(inner.path.iterdir()) - files} <= {
        "records",
        "registry",
        "__pycache__",
        "stdout",
        "stderr",
    }


@pytest.mark.parametrize(
    ("policy", "passes", "kept"),
    [
        ("all", True, True),
        ("all", False, True),
        ("failed", True, False),
        ("failed", False, True),
        ("none", True, False),
        ("none", False, False),
    ],
)
def test_files_of_isolation_are_kept_as_tmp_path_is(inner: Inner, policy: str, *, passes: bool, kept: bool) -> None:
    inner.pytester.makeini(f"[pytest]\ntmp_path_retention_policy = {policy}")
    inner.suite(
        f"""
        def test_writes(isolation, tmp_path, record):
            (isolation.temp_dir / "data").mkdir()
            (isolation.temp_dir / "data" / "log").write_text("what happened")
            (tmp_path / "of-pytest").touch()
            record(id=isolation.id, tmp_path=str(tmp_path))
            assert {passes}
        """
    )
    # The policies apply to directories that pytest numbers, not to `--basetemp`.
    inner.base = Path()
    arguments = [argument for argument in inner.arguments("-Werror") if not argument.startswith("--basetemp")]
    result = inner.pytester.run(*arguments)
    result.assert_outcomes(passed=int(passes), failed=int(not passes))
    seen = inner.record()
    tmp_path = Path(seen["tmp_path"])
    assert (tmp_path / "of-pytest").exists() == kept, "the policy is understood wrongly"
    log = tmp_path / f"isolation-{seen['id']}" / "data" / "log"
    assert log.exists() == kept
    if kept:
        assert log.read_text() == "what happened"
    assert (f"files of environment {seen['id']}: {log.parent.parent}" in result.outlines) == (kept and not passes)


def test_an_isolation_without_files_leaves_no_directory(inner: Inner) -> None:
    inner.suite(
        """
        def test_writes_nothing(isolation, tmp_path, record):
            record(tmp_path=str(tmp_path))
            assert False
        """
    )
    result = inner.run()
    result.assert_outcomes(failed=1)
    assert list(Path(inner.record()["tmp_path"]).iterdir()) == []
    assert "files of environment" not in result.stdout.str()


def test_files_are_kept_across_file_systems(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == inner.path.stat().st_dev:
        pytest.skip("there is only one file system to write to")
    with portalloc.environment(1) as namesake:
        elsewhere = other / namesake.id  # a name that nobody has
    elsewhere.mkdir()
    try:
        monkeypatch.setenv("TMPDIR", str(elsewhere))
        inner.suite(
            """
            import os, socket

            def test_writes(isolation, tmp_path, record):
                directory = isolation.temp_dir / "data"
                directory.mkdir()
                (directory / "log").write_text("what happened")
                (directory / "link").symlink_to("log")
                (isolation.temp_dir / "top").write_text("at the top")
                os.mkfifo(directory / "pipe")
                with socket.socket(socket.AF_UNIX) as one:
                    one.bind(str(isolation.temp_dir / "socket"))
                record(id=isolation.id, tmp_path=str(tmp_path))
            """
        )
        inner.run("-Werror").assert_outcomes(passed=1)
        seen = inner.record()
        kept = Path(seen["tmp_path"]) / f"isolation-{seen['id']}"
        names = {str(path.relative_to(kept)) for path in kept.rglob("*")}
        assert names == {"data", "data/log", "data/link", "top"}, "sockets and pipes cannot be copied"
        assert (kept / "data" / "link").is_symlink()
        assert (kept / "data" / "log").read_text() == "what happened"
        assert list(elsewhere.iterdir()) == []
    finally:
        for path in sorted(elsewhere.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        elsewhere.rmdir()


def test_a_test_may_remove_the_temp_dir(inner: Inner) -> None:
    inner.suite(
        """
        def test_removes(isolation):
            isolation.temp_dir.rmdir()

        def test_ends_it(isolation):
            isolation.cleanup()
        """
    )
    inner.run("-Werror").assert_outcomes(passed=2)


def test_options_decide_about_the_pool(inner: Inner) -> None:
    ini, line = inner.ports[20], inner.ports[60]
    inner.suite(
        """
        def test_where(free_port, isolation, run_isolation, listening_socket, record):
            record(ports=[free_port, *isolation.ports, *run_isolation.ports, listening_socket.getsockname()[1]])
        """
    )
    inner.project("ports = 1\n")
    inner.pytester.makeini(
        f"[pytest]\nportalloc_pool = {ini}-{ini + 29}\nportalloc_exclude = {ini}-{ini + 9},{line}-{line + 9}"
    )
    inner.run().assert_outcomes(passed=1)
    inner.run(f"--portalloc-pool={line}-{line + 29}").assert_outcomes(passed=1)
    by_ini, by_line = (set(record["ports"]) for record in inner.records())
    assert len(by_ini) == len(by_line) == 4
    assert by_ini <= set(range(ini + 10, ini + 30))
    assert by_line <= set(range(line + 10, line + 30))


def test_without_options_the_variables_and_the_project_file_decide(
    inner: Inner, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner.suite(
        """
        def test_where(isolation, record):
            record(ports=isolation.ports)
        """
    )
    toml, variable = inner.ports[100], inner.ports[120]
    inner.project(f'ports = 2\npool = "{toml}-{toml + 19}"\n')
    monkeypatch.setenv("PORTALLOC_POOL", f"{variable}-{variable + 19}")
    inner.run().assert_outcomes(passed=1)
    monkeypatch.delenv("PORTALLOC_POOL")
    inner.run().assert_outcomes(passed=1)
    by_variable, by_file = (set(record["ports"]) for record in inner.records())
    assert len(by_variable) == len(by_file) == 2
    assert by_variable <= set(range(variable, variable + 20))
    assert by_file <= set(range(toml, toml + 20))


def test_an_exhausted_pool_fails_at_once_without_a_timeout(inner: Inner) -> None:
    inner.suite("def test_wants(free_port): pass")
    with portalloc.lease(exact=[inner.ports[0]]):
        result = inner.run(f"--portalloc-pool={inner.ports[0]}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *PoolExhaustedError: *"])


def test_a_timeout_waits_for_ports(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_timeout = 60")
    inner.suite(
        """
        def test_wants(request, record):
            record(asks=True)
            record(port=request.getfixturevalue("free_port"))
        """
    )
    only = inner.ports[0]
    lease = portalloc.lease(exact=[only])
    with lease, inner.start(f"--portalloc-pool={only}") as running:
        asks = until(inner.records, "the test asks")[0]
        until(lambda: waits_for_a_file(asks["pid"]), "the fixture waits")
        assert len(inner.records()) == 1
        lease.release()
        assert running.wait() == 0, running.output
    assert inner.records()[1]["port"] == only


def waits_for_a_file(pid: int) -> bool:
    """Whether the process has asked the kernel to tell it of changes, as one does that waits for ports."""
    return any(leads_to(entry) == "anon_inode:inotify" for entry in Path(f"/proc/{pid}/fd").iterdir())


def leads_to(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
