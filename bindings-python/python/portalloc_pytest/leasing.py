"""The factories that tests call for ports: their arguments, and what they return. Tests can use them in annotations.

They know nothing of when a lease ends; the `Holder` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    import portalloc

    from portalloc_pytest.holding import Holder


class FreePorts:
    """The fixture `free_ports`."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder

    @overload
    def __call__(self, count: int) -> list[int]: ...

    @overload
    def __call__(self, *, names: Iterable[str]) -> dict[str, int]: ...

    def __call__(self, count: int | None = None, *, names: Iterable[str] | None = None) -> list[int] | dict[str, int]:
        """`count` ports, or one for each of `names`, which must differ. Held until the test ends."""
        if (count is None) == (names is None):
            raise TypeError("free_ports: give either a count or names")
        if names is None:
            return list(self._holder.lease(count))
        if isinstance(names, str):
            raise TypeError("free_ports: names is a list of names, not one name")
        keys = list(names)
        if len(set(keys)) != len(keys):
            raise ValueError(f"free_ports: a name is given twice: {keys}")
        return dict(zip(keys, self._holder.lease(len(keys)), strict=True))


class PortLease:
    """The fixture `port_lease`."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder

    def __call__(
        self,
        count: int | None = None,
        *,
        exact: Iterable[int] | None = None,
        offsets: Iterable[int] | None = None,
        scattered: bool = False,
        pool: str | None = None,
        exclude: str | None = None,
        guard: bool = False,
        sticky_key: str | None = None,
        prefer: int | Iterable[int] | None = None,
        wait: float | timedelta | None = None,
    ) -> portalloc.Lease:
        """Like `portalloc.lease`. Released when the test ends, unless that was done before."""
        return self._holder.lease(
            count,
            exact=exact,
            offsets=offsets,
            scattered=scattered,
            pool=pool,
            exclude=exclude,
            guard=guard,
            sticky_key=sticky_key,
            prefer=prefer,
            wait=wait,
        )
