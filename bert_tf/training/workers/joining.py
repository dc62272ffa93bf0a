"""How the workers of a run find each other, at the addresses of TF_CONFIG. Needs no TensorFlow, whose server takes the
same addresses afterwards."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import time
from collections.abc import Callable, Sequence

from bert_tf.errors import RunAgain, UserError
from bert_tf.training.workers.messages import receive, send
from bert_tf.training.workers.peers import WAITED, Peers, named

HELLO_SECONDS, RETRY_SECONDS, SAY_AFTER_SECONDS = 5.0, 0.2, 5.0
_joined: Peers | None = None  # as TensorFlow's own server and connections, for the rest of the process


def join(addresses: Sequence[str], rank: int, *, seconds: float, tell: Callable[[str], None]) -> Peers:
    """Waits until all workers of a run are there. Those of an earlier run in this process are still connected.

    Args:
        addresses: of all, by rank, host:port.
        rank: this one's.
        seconds: how long to wait for them, and later for each other.
        tell: says after some seconds who is waited for.
    Raises: UserError for a port of this worker that is taken; RunAgain naming who has not come.
    """
    global _joined
    found = _remembered(addresses, rank)
    if found is not None:
        found.wait_at_most(seconds)
        return found
    deadline = time.monotonic() + seconds
    with _listener(addresses[rank], rank) as listener:
        if rank:
            listener.close()  # it was to be seen that the port is free, before TensorFlow wants it
            links = {0: _reach_first(addresses, rank, deadline, seconds, tell)}
        else:
            links = _accept_all(listener, addresses, deadline, seconds, tell)
    _joined = Peers(addresses, rank, links, seconds=seconds)
    return _joined


def joined() -> Peers | None:
    """The workers that this process has joined; None: it is one alone."""
    return _joined


def _remembered(addresses: Sequence[str], rank: int) -> Peers | None:
    is_same = _joined is not None and (_joined.addresses, _joined.rank) == (tuple(addresses), rank)
    return _joined if is_same and _joined is not None and _joined.is_lost() is None else None


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _listener(address: str, rank: int) -> socket.socket:
    port = _host_port(address)[1]
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another process" if taken else f"cannot be used ({error.strerror})"
        raise UserError(f"TF_CONFIG: port {port} of worker {rank}, which is this one, {why}") from None


def _accept_all(
    listener: socket.socket,
    addresses: Sequence[str],
    deadline: float,
    seconds: float,
    tell: Callable[[str], None],
) -> dict[int, socket.socket]:
    links: dict[int, socket.socket] = {}
    patience = Patience(tell)
    while missing := [rank for rank in range(1, len(addresses)) if rank not in links]:
        who = " and ".join(named(addresses, rank) for rank in missing)
        if time.monotonic() > deadline:
            late = f"{who} did not come within {seconds:g} s ({WAITED})"
            for link in links.values():
                with contextlib.suppress(OSError):
                    send(link, json.dumps({"late": late}).encode())
                link.close()
            raise RunAgain(late)
        patience.say(f"waiting for {who}")
        listener.settimeout(RETRY_SECONDS)
        with contextlib.suppress(OSError, ValueError):  # also a stranger that asks for something else
            link, _ = listener.accept()
            rank = _greeted(link, addresses, missing)
            if rank is not None:
                links[rank] = link
    for link in links.values():
        send(link, json.dumps({}).encode())
    return links


def _greeted(link: socket.socket, addresses: Sequence[str], missing: Sequence[int]) -> int | None:
    """The rank of a worker of this run that has none yet; others are told why they cannot be in it."""
    link.settimeout(HELLO_SECONDS)
    try:
        hello = json.loads(receive(link)[1])
        if not isinstance(hello, dict) or hello.get("addresses") != list(addresses):
            refused = f"its TF_CONFIG has other workers: {', '.join(addresses)}"
        elif hello.get("rank") not in missing:
            refused = f"there is a worker {hello.get('rank')} already: each needs an index of its own in TF_CONFIG"
        else:
            return hello["rank"]
        send(link, json.dumps({"refused": refused}).encode())
    except (OSError, ValueError):
        pass
    link.close()
    return None


def _reach_first(
    addresses: Sequence[str], rank: int, deadline: float, seconds: float, tell: Callable[[str], None]
) -> socket.socket:
    patience, why = Patience(tell), "no answer"
    while time.monotonic() < deadline:
        link = None
        try:
            link = socket.create_connection(_host_port(addresses[0]), timeout=HELLO_SECONDS)
            send(link, json.dumps({"addresses": list(addresses), "rank": rank}).encode())
            link.settimeout(max(0.1, deadline + HELLO_SECONDS - time.monotonic()))  # it says first that it is late
            answer = json.loads(receive(link)[1])
        except (OSError, ValueError) as error:
            if link is not None:
                link.close()
            why = getattr(error, "strerror", None) or str(error)
            patience.say(f"waiting for {named(addresses, 0)}: {why}")
            time.sleep(RETRY_SECONDS)
            continue
        if not answer:
            return link
        link.close()
        if "late" in answer:
            raise RunAgain(answer["late"])
        raise UserError(f"{named(addresses, 0)} has no place for this worker: {answer.get('refused')}")
    raise RunAgain(f"{named(addresses, 0)} did not come within {seconds:g} s ({WAITED}): {why}")


class Patience:
    """Says once what is waited for, after some seconds."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell, self.began = tell, time.monotonic()
        self.said = False

    def say(self, message: str) -> None:
        if not self.said and time.monotonic() - self.began > SAY_AFTER_SECONDS:
            self.said = True
            self.tell(message)
