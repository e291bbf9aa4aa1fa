"""The exceptions: one class for each stable code, and the built-in one that existing handlers catch. And the warning.

The texts and the codes are the core's; this module only says which class each is. It knows no operation.
"""

from __future__ import annotations

import errno

# Importing `typing` costs more than all the rest of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "EnvFileExistsError",
    "EnvironmentInUseError",
    "Error",
    "IdExhaustedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidIdError",
    "NotFoundError",
    "PermissionDeniedError",
    "PoolExhaustedError",
    "PortInUseError",
    "PortLeakWarning",
    "PortallocWarning",
    "RegistryUnusableError",
    "SystemCallError",
    "UnsupportedError",
    "WaitTimeout",
]


class Error(Exception):
    """Anything that went wrong: a stable ``code``, what happened, and what to do next.

    ``str()`` gives message and remedy. Which subclass it is says the same as ``code``.
    """

    #: The stable code, the same in every language and on the command line.
    code: str = "internal"
    #: What happened, with the value in it.
    message: str
    #: What to do next.
    remedy: str
    #: For ``port_in_use``: the ports that were not free.
    ports: tuple[int, ...]
    #: For ``pool_exhausted``, and a ``timeout`` while waiting for ports: how many ports of the pool are ``held``,
    #: ``kept``, ``stale``, ``free``, used by foreign processes (``foreign``), and so on.
    census: dict[str, int] | None

    def __init__(
        self,
        message: str,
        remedy: str = "",
        ports: tuple[int, ...] = (),
        census: dict[str, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.ports = ports
        self.census = census

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[type[Error], tuple[str, str, tuple[int, ...], dict[str, int] | None], dict[str, Any]]:
        # With what was set later: the code of a newer core, notes.
        return type(self), (self.message, self.remedy, self.ports, self.census), vars(self)


class _SystemError(Error, OSError):
    """Those that are an ``OSError``, for handlers that look at ``errno``."""

    _number: int

    def __init__(
        self,
        message: str,
        remedy: str = "",
        ports: tuple[int, ...] = (),
        census: dict[str, int] | None = None,
    ) -> None:
        super().__init__(message, remedy, ports, census)
        # Not as arguments: they would change what `str()` gives.
        self.errno = self._number
        self.strerror = message


class InvalidArgumentError(Error, ValueError):
    """An argument, a ``PORTALLOC_*`` variable or the project file is out of range or malformed."""

    code = "invalid_argument"


class InvalidIdError(Error, ValueError):
    """The text is not an isolation ID (12 lower-case hexadecimal digits)."""

    code = "invalid_id"


class PoolExhaustedError(_SystemError):
    """No free run of that size is left in the pool; ``census`` says what its ports are doing."""

    code = "pool_exhausted"
    _number = errno.EADDRNOTAVAIL


class PortInUseError(_SystemError):
    """A specific port that was asked for is leased, or something is bound to it; ``ports`` says which."""

    code = "port_in_use"
    _number = errno.EADDRINUSE


class NotFoundError(Error, LookupError):
    """No environment with that ID, or no such process."""

    code = "not_found"


class EnvironmentInUseError(_SystemError):
    """The environment is held by a live process, so it cannot be cleaned up from outside."""

    code = "in_use"
    _number = errno.EBUSY


class EnvFileExistsError(_SystemError, FileExistsError):
    """The env file asked for exists and is not portalloc's to overwrite."""

    code = "env_file_exists"
    _number = errno.EEXIST


class IdExhaustedError(_SystemError):
    """999 isolation IDs in a row were taken: something is wrong with the random source or the registry."""

    code = "id_exhausted"
    _number = errno.EAGAIN


class RegistryUnusableError(_SystemError):
    """The registry directory is missing, replaced, damaged, full, or not trustworthy."""

    code = "registry_unusable"
    _number = errno.EIO


class PermissionDeniedError(_SystemError, PermissionError):
    """The operating system refused for lack of rights."""

    code = "permission_denied"
    _number = errno.EACCES


class WaitTimeout(_SystemError, TimeoutError):
    """The wait was over before the ports were as they should be."""

    code = "timeout"
    _number = errno.ETIMEDOUT


class UnsupportedError(Error, NotImplementedError):
    """Not available on this platform or kernel, or to a forked child."""

    code = "unsupported"


class SystemCallError(_SystemError):
    """Any other failure of the operating system."""

    code = "io"
    _number = errno.EIO


class InternalError(Error, RuntimeError):
    """A defect in portalloc itself, caught before it could end the interpreter."""

    code = "internal"


class PortallocWarning(UserWarning):
    """Nothing failed, but you should know: a lease was lost, for example. Python shows it unless told otherwise.

    Python's filters show the loss of a lease or environment once for each line that made one. Everything else is said
    once in a process.
    """


class PortLeakWarning(PortallocWarning):
    """A test has ended, and a server still listens on a port that was leased for it. The pytest plugin warns of it."""


BY_CODE: dict[str, type[Error]] = {
    cls.code: cls
    for cls in (
        InvalidArgumentError,
        InvalidIdError,
        PoolExhaustedError,
        PortInUseError,
        NotFoundError,
        EnvironmentInUseError,
        EnvFileExistsError,
        IdExhaustedError,
        RegistryUnusableError,
        PermissionDeniedError,
        WaitTimeout,
        UnsupportedError,
        SystemCallError,
        InternalError,
    )
}


def error_of(code: str, message: str, remedy: str, ports: list[int], census: dict[str, int] | None) -> Error:
    """The exception for an error of the core. A code that this module does not know yet is a plain ``Error``."""
    error = BY_CODE.get(code, Error)(message, remedy, tuple(ports), census)
    error.code = code
    return error
