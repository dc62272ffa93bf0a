"""What workers tell each other, and how they find and lose one another: threads stand for processes here."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from bert_tf.errors import RunAgain, UserError
from bert_tf.launch.workers import free_ports
from bert_tf.training.workers import joining
from bert_tf.training.workers.joining import join
from bert_tf.training.workers.messages import send
from bert_tf.training.workers.peers import Peers


@pytest.fixture(autouse=True)
def _as_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread joins anew, as a process would."""
    monkeypatch.setattr(joining, "SAY_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(joining, "_remembered", lambda *ignored: None)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each gives, or raises, at the same time."""

    def tried(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except UserError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(tried, works))


def joined(count: int, *, seconds: float = 5.0) -> list[Peers]:
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    return at_once(*(lambda rank=rank: join(addresses, rank, seconds=seconds, tell=print) for rank in range(count)))


@pytest.fixture
def three() -> Iterator[list[Peers]]:
    found = joined(3)
    with ExitStack() as stack:
        for each in found:
            stack.callback(each.close)
        yield found


def test_all_get_what_each_has_by_rank(three):
    for _ in range(3):
        wanted = [{"rank": rank} for rank in range(3)]
        assert at_once(*(lambda each=each: each.gather({"rank": each.rank}) for each in three)) == [wanted] * 3


def test_none_goes_on_before_all_have_come(three):
    came: list[int] = []

    def meet(each: Peers) -> int:
        time.sleep(0.1 * each.rank)
        came.append(each.rank)
        each.meet()
        return len(came)

    assert at_once(*(lambda each=each: meet(each) for each in three)) == [3, 3, 3]


def test_what_differs_is_named_on_every_worker(three):
    same = {"batch": 8, "data": "0a"}
    assert at_once(*(lambda each=each: each.agree(same) for each in three)) == [None] * 3
    others = [same, same, {**same, "data": "0b"}]
    errors = at_once(*(lambda each=each, what=what: each.agree(what) for each, what in zip(three, others, strict=True)))
    said = f"workers differ in data: 0a on worker 0 ({three[0].addresses[0]}), 0b on worker 2 ({three[0].addresses[2]})"
    assert [str(error).partition(". Start all")[0] for error in errors] == [said] * 3
    assert not any(isinstance(error, RunAgain) for error in errors)


@pytest.mark.parametrize("gone", [0, 2])
def test_one_that_has_ended_is_named_by_all_others(three, gone):
    three[gone].close()
    left = [each for each in three if each.rank != gone]
    errors = at_once(*(each.meet for each in left))
    assert all(isinstance(error, RunAgain) for error in errors)
    assert all(str(error).startswith(f"worker {gone} (127.0.0.1:") and "has ended" in str(error) for error in errors)
    assert all(each.is_lost() is not None for each in left)


def test_one_that_says_nothing_is_named_after_the_time(three):
    three[0].wait_at_most(0.2)
    with pytest.raises(RunAgain, match=r"^worker 1 \(127.* has said nothing for 0.2 s \(training.worker_seconds\)"):
        three[0].meet()
    assert three[1].is_lost() is None


def test_those_that_do_not_come_are_named_by_those_that_did():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]
    said: list[str] = []
    first, second = at_once(
        *(lambda rank=rank: join(addresses, rank, seconds=1.0, tell=said.append) for rank in range(2))
    )
    wanted = f"worker 2 ({addresses[2]}) did not come within 1 s (training.worker_seconds)"
    assert [str(first), str(second)] == [wanted, wanted]
    assert f"waiting for worker 2 ({addresses[2]})" in said


@pytest.mark.parametrize("address", ["no-such-host.invalid:1", "127.0.0.1:9"])
def test_a_first_one_that_cannot_be_reached_is_named(address):
    (port,) = free_ports(1)
    with pytest.raises(RunAgain, match=rf"^worker 0 \({address}\) did not come within 0.5 s .*: \S+"):
        join([address, f"127.0.0.1:{port}"], 1, seconds=0.5, tell=print)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_port_that_is_taken_is_named(rank):
    ports = free_ports(2)
    said = rf"port {ports[rank]} of worker {rank}, which is this one, is taken"
    with socket.create_server(("127.0.0.1", ports[rank])), pytest.raises(UserError, match=said):
        join([f"127.0.0.1:{port}" for port in ports], rank, seconds=0.5, tell=print)


def test_strangers_and_others_of_the_same_number_are_turned_away():
    addresses = [f"127.0.0.1:{port}" for port in free_ports(3)]

    def stranger(message: bytes) -> None:
        time.sleep(0.2)
        first = ("127.0.0.1", int(addresses[0].rpartition(":")[2]))
        with suppress(ConnectionError), socket.create_connection(first, timeout=5) as link:
            link.sendall(message)
            link.recv(100)

    def second_of_number_one() -> Any:
        time.sleep(0.4)
        return join(addresses, 1, seconds=3.0, tell=print)

    def late_third() -> Any:
        time.sleep(0.8)
        return join(addresses, 2, seconds=3.0, tell=print)

    def other_cluster() -> None:
        with socket.create_connection(("127.0.0.1", int(addresses[0].rpartition(":")[2])), timeout=5) as link:
            send(link, json.dumps({"addresses": ["x:1"], "rank": 2}).encode())
            assert b"its TF_CONFIG has other workers" in link.recv(1000)

    found = at_once(
        lambda: join(addresses, 0, seconds=5.0, tell=print),
        lambda: join(addresses, 1, seconds=5.0, tell=print),
        lambda: stranger(b"GET / HTTP/1.1\r\n\r\n" * 9),
        lambda: (time.sleep(0.3), other_cluster()),
        second_of_number_one,
        late_third,
    )
    assert [type(each) for each in (found[0], found[1], found[5])] == [Peers] * 3
    assert "there is a worker 1 already" in str(found[4])
    for each in (found[0], found[1], found[5]):
        each.close()
