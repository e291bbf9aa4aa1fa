"""However often a lease is taken and given back, the process stays as it was: descriptors and memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support import Actor

CYCLES = 50_000

WORK = """
def descriptors():
    return len(os.listdir("/proc/self/fd"))

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def cycles(count):
    lease = portalloc.lease
    for _ in range(count):
        lease().release()

def measured(work, count):
    # The first half warms up whatever is warmed up.
    work(count)
    gc.collect()
    before = descriptors(), resident()
    work(count)
    gc.collect()
    return descriptors() - before[0], resident() - before[1]
"""

MORE = """
def fails(count):
    for _ in range(count):
        try:
            portalloc.lease(0)
        except portalloc.InvalidArgumentError:
            pass

def forgets(count):
    import warnings
    warnings.simplefilter("ignore")
    for _ in range(count):
        portalloc.lease()

def uses(count):
    for _ in range(count):
        with portalloc.lease(2, guard=True) as lease:
            lease.socket(0).close()
            lease.inheritable()
            lease.ports, lease.base_port, lease[0], list(lease), repr(lease)

def environments(count):
    for _ in range(count):
        with portalloc.environment(names=["web"]) as environment:
            environment.variables, environment.lease.ports, environment.render()
            portalloc.environments(), portalloc.who(environment.base_port)
            portalloc.attach(environment.id), portalloc.validate(environment.id)

def waits(count):
    for _ in range(count):
        with portalloc.lease(wait=1) as lease:
            portalloc.wait_until_free(lease, 0)
            try:
                portalloc.wait_until_open(lease, 0)
            except TimeoutError:
                pass
"""

MEGABYTE = 1 << 20


def grown(actor: Actor, work: str, count: int) -> None:
    actor.do(WORK + MORE)
    descriptors, memory = actor.ask(f"measured({work}, {count})")
    assert descriptors == 0
    assert memory < MEGABYTE, f"{memory} bytes more after {count} times {work}"


def test_a_hundred_thousand_leases(actor: Actor) -> None:
    grown(actor, "cycles", CYCLES)


def test_leases_that_fail(actor: Actor) -> None:
    grown(actor, "fails", 10_000)


def test_leases_that_are_forgotten(actor: Actor) -> None:
    grown(actor, "forgets", 10_000)


def test_whatever_a_lease_can_do(actor: Actor) -> None:
    grown(actor, "uses", 2_000)


def test_environments(actor: Actor) -> None:
    grown(actor, "environments", 50)


def test_waits(actor: Actor) -> None:
    grown(actor, "waits", 1_000)


def test_nothing_stays_open_but_the_registry(actor: Actor) -> None:
    actor.do("def opened(): return set(os.listdir('/proc/self/fd'))\nbefore = opened()")
    actor.do("portalloc.lease(2, guard=True).release(); portalloc.environment(1).cleanup()")
    actor.do("links = []")
    actor.do(
        "for fd in opened() - before:\n"
        "    try: links.append(os.readlink(f'/proc/self/fd/{fd}'))\n"
        "    except OSError: pass"  # that of the look itself
    )
    links = actor.ask("links")
    assert links
    assert all(link.startswith(os.environ["PORTALLOC_DIR"]) for link in links), links
