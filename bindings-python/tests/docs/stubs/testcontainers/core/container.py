"""A container that consists of its published ports."""

from __future__ import annotations

import engine


class DockerContainer:
    def __init__(self, image: str) -> None:
        self.image = image
        self.ports: dict[str | int, str | int | None] = {}
        self._pid: int | None = None

    def with_bind_ports(self, container: str | int, host: str | int | None = None) -> DockerContainer:
        self.ports[container] = host
        return self

    def start(self) -> DockerContainer:
        hosts = [int(host) for host in self.ports.values() if host is not None]
        assert len(hosts) == len(self.ports), "the stub knows fixed ports only"
        self._pid = engine.publish(hosts)
        return self

    def stop(self) -> None:
        if self._pid is not None:
            engine.end(self._pid)
            self._pid = None

    def __enter__(self) -> DockerContainer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
