"""The judge, by journals that are made up: it sees what they show, and refuses those that show nothing."""

from __future__ import annotations

import pytest
from judge import BadJournalError, judge, percentile


def served(pid: int, ports: str, nanoseconds: int = 1000) -> list[str]:
    return [f"took {pid} {nanoseconds} {ports}", f"bound {pid} 0", f"gave {pid} {ports}"]


def test_one_after_the_other_is_no_overlap() -> None:
    verdict = judge(served(1, "20000") + served(2, "20000") + served(1, "20000"), processes=2, ports=1)
    assert (verdict.attempts, verdict.overlapping, verdict.unbound, verdict.gave_up) == (3, 0, 0, 0)


def test_a_port_that_another_still_holds_is_an_overlap() -> None:
    first, second = served(1, "20000,20001"), served(2, "20001,20002")
    verdict = judge([*first[:2], *second, first[2]], processes=2, ports=2)
    assert verdict.overlapping == 1


def test_each_later_allocation_counts_once_however_many_it_meets() -> None:
    lines = [served(pid, "20000,20001") for pid in (1, 2, 3)]
    verdict = judge([line for column in zip(*lines, strict=True) for line in column], processes=3, ports=2)
    assert verdict.overlapping == 2


def test_a_port_stays_held_until_the_last_of_those_who_had_it_gave_it() -> None:
    first, second = served(1, "20000"), served(2, "20000")
    verdict = judge([*first[:2], *second[:2], first[2], *served(3, "20000"), second[2]], processes=3, ports=1)
    assert verdict.overlapping == 2


def test_the_same_port_twice_in_one_allocation_is_an_overlap() -> None:
    assert judge(served(1, "20000,20000"), processes=1, ports=2).overlapping == 1


def test_an_allocation_with_failed_binds_counts_once() -> None:
    lines = ["took 1 1000 20000,20001", "bound 1 2", "gave 1 20000,20001"]
    assert judge(lines, processes=1, ports=2).unbound == 1


def test_what_gave_up_is_an_attempt_and_no_allocation() -> None:
    verdict = judge(["none 2 5000", *served(1, "20000")], processes=2, ports=1)
    assert (verdict.attempts, verdict.allocations, verdict.gave_up) == (2, 1, 1)


def test_times_are_those_of_allocations() -> None:
    lines = [line for time in range(1, 101) for line in served(1, "20000", time * 1000)]
    verdict = judge([*lines, *served(2, "20001", 7000), "none 2 9000000"], processes=2, ports=1)
    assert (verdict.p50_us, verdict.p99_us) == (50, 99)
    assert verdict.first_p50_us == 4


def test_where_all_gave_up_there_are_no_times() -> None:
    verdict = judge(["none 1 5000"], processes=1, ports=1)
    assert (verdict.p50_us, verdict.p99_us, verdict.first_p50_us) == (None, None, None)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3
    assert percentile([4.0], 0.01) == 4


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="nothing happened"),
        pytest.param(served(1, "20000"), id="a process that did nothing"),
        pytest.param([*served(1, "20000"), "took 2 1000 20001", "bound 2 0"], id="an allocation without its end"),
        pytest.param([*served(1, "20000"), "took 2 1000 20001", "took 2 1000 20002"], id="two at once"),
        pytest.param([*served(1, "20000"), "took 2 1000 20001", "gave 2 20001"], id="never bound"),
        pytest.param([*served(1, "20000"), "took 2 1000 20001", "bound 2 0", "gave 2 20002"], id="gave another"),
        pytest.param([*served(1, "20000"), "gave 2 20000"], id="gave what it had not"),
        pytest.param([*served(1, "20000"), *served(2, "20001,20002")], id="too many ports"),
        pytest.param([*served(1, "20000"), *served(2, "20001"), "tok 2"], id="a torn line"),
    ],
)
def test_a_journal_that_cannot_be_is_refused(lines: list[str]) -> None:
    with pytest.raises(BadJournalError):
        judge(lines, processes=2, ports=1)
