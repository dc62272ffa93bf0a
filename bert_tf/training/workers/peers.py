"""What the workers of a run tell each other besides gradients. Needs no TensorFlow.

Each has a connection with the first one, which lasts as long as the run: it ends with a process, however that ends, so
that none waits for one that is gone.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from bert_tf.errors import RunAgain, UserError
from bert_tf.training.workers.messages import LOST, keep_alive, receive, send

WAITED = "training.worker_seconds"


class Peers:
    """The workers of a run, as one of them sees them.

    Args:
        addresses: of all, by rank, as TF_CONFIG has them.
        rank: this one's.
        links: rank -> connection: the first worker has one with each other, these have one with it.
        seconds: how long to wait for another worker.

    Attributes:
        failure: what ended a wait, once something did.
    """

    def __init__(
        self, addresses: Sequence[str], rank: int, links: Mapping[int, socket.socket], *, seconds: float
    ) -> None:
        self.addresses, self.rank, self.links, self.seconds = (
            tuple(addresses),
            rank,
            dict(sorted(links.items())),
            seconds,
        )
        self.failure: RunAgain | None = None
        for link in self.links.values():
            keep_alive(link)
        self.wait_at_most(seconds)

    def wait_at_most(self, seconds: float) -> None:
        """Sets how long to wait for another worker."""
        self.seconds = seconds
        for link in self.links.values():
            link.settimeout(seconds)

    def gather(self, value: Any) -> list[Any]:
        """Every worker's value, by rank, the same list on each of them.

        Args:
            value: for JSON, under a megabyte together.
        Raises: RunAgain if one of them is gone, or silent for too long.
        """
        own = json.dumps(value).encode()
        if self.rank:
            self._send(0, own)
            return json.loads(self._receive(0))
        found = [own, *(self._receive(rank) for rank in sorted(self.links))]
        everything = b"[" + b",".join(found) + b"]"
        for rank in self.links:
            self._send(rank, everything)
        return json.loads(everything)

    def meet(self) -> None:
        """Returns when every worker has called it; what they wrote before, in memory too, is there for all. Raises: as
        `gather`."""
        if self.rank:
            self._send(0, b"")
            self._receive(0)
            return
        for rank in self.links:
            self._receive(rank)
        for rank in self.links:
            self._send(rank, b"")

    def agree(self, what: Mapping[str, Any]) -> None:
        """Raises: UserError, on every worker, naming what differs between them."""
        everyone = self.gather(dict(what))
        for name in everyone[0]:
            values = [each.get(name) for each in everyone]
            if any(value != values[0] for value in values):
                other = next(rank for rank, value in enumerate(values) if value != values[0])
                raise UserError(
                    f"workers differ in {name}: {values[0]} on {self._named(0)}, {values[other]} on "
                    f"{self._named(other)}. Start all of them with the same command, data and run folder"
                )

    def is_lost(self) -> RunAgain | None:
        """What there is to say of a worker that is gone, where one is."""
        for rank, link in self.links.items():
            readable, _, _ = select.select([link], [], [], 0)
            try:
                if readable and not link.recv(1, socket.MSG_PEEK):
                    return self._gone(rank)
            except ConnectionError:
                return self._gone(rank)
        return self.failure

    def close(self) -> None:
        for link in self.links.values():
            link.close()

    def _send(self, rank: int, message: bytes) -> None:
        try:
            send(self.links[rank], message)
        except TimeoutError:
            raise self._fail(self._silent(rank)) from None
        except OSError:
            raise self._fail(self._gone(rank), lost=rank) from None

    def _receive(self, rank: int) -> bytes:
        try:
            mark, message = receive(self.links[rank])
        except TimeoutError:
            raise self._fail(self._silent(rank)) from None
        except OSError:
            raise self._fail(self._gone(rank), lost=rank) from None
        if mark == LOST:
            raise self._fail(self._gone(int(message)))
        return message

    def _fail(self, failure: RunAgain, lost: int | None = None) -> RunAgain:
        self.failure = failure
        for rank, link in self.links.items():
            if lost is not None and rank not in (lost, 0):
                with contextlib.suppress(OSError):
                    send(link, str(lost).encode(), mark=LOST)
        return failure

    def _gone(self, rank: int) -> RunAgain:
        return RunAgain(f"{self._named(rank)} has ended. Start all workers again: the run resumes from its checkpoint")

    def _silent(self, rank: int) -> RunAgain:
        return RunAgain(
            f"{self._named(rank)} has said nothing for {self.seconds:g} s ({WAITED}). Start all workers again: the run "
            "resumes from its checkpoint"
        )

    def _named(self, rank: int) -> str:
        return named(self.addresses, rank)


def named(addresses: Sequence[str], rank: int) -> str:
    """A worker in messages."""
    return f"worker {rank} ({addresses[rank]})"
