"""Workers that are threads of this process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from bert_tf.training.workers.peers import Peers


@pytest.fixture
def connected() -> Iterator[Callable[[int], list[Peers]]]:
    """Makes so many workers that are connected."""
    made: list[Peers] = []

    def connect(count: int) -> list[Peers]:
        first: dict[int, socket.socket] = {}
        others = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            for rank in range(1, count):
                link = socket.create_connection(listener.getsockname())
                first[rank], _ = listener.accept()
                others.append({0: link})
        addresses = [f"host:{rank}" for rank in range(count)]
        made.extend(Peers(addresses, rank, links, seconds=10.0) for rank, links in enumerate([first, *others]))
        return made[-count:]

    yield connect
    for each in made:
        each.close()
