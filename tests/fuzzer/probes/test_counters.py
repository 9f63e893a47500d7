"""The counts that services keep of what they send, from real servers that restart and lie."""

import json
import threading
import time

import pytest

from fuzzer.probes import counters as module
from fuzzer.probes.counters import CallCounters
from models.target import Counters, Service, Target
from models.topology import Topology
from tests.fuzzer.probes.servers import requests, serving


def until(condition, seconds=20.0):
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s, "waited for in vain"
        time.sleep(0.005)


class Metrics:
    """A page of counts; tells when it was looked at."""

    def __init__(self, page) -> None:
        self.page = page
        self.looks = 0

    def __call__(self, connection, number):
        for _ in requests(connection):
            page = self.page if isinstance(self.page, bytes) else json.dumps(self.page).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
            self.looks += 1

    def show(self, page):
        """Change the page, and wait until it was read for sure."""
        self.page = page
        looks = self.looks
        until(lambda: self.looks >= looks + 2)


class Sink(list):
    def saw_calls(self, seen):
        self.append(seen)

    def counts(self, dependency="db"):
        return [seen.count for seen in self if seen.dependency == dependency]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "EVERY_S", 0.02)


def target(**urls):
    services = {
        name: Service(name, counters=Counters(url, "net.calls") if url else None)
        for name, url in urls.items()
    }
    return Target("t", None, services, Topology(tuple(services), ()))


def watching(sink, **urls):
    counting = CallCounters(target(**urls), sink, time.monotonic)
    counting.start()
    return counting


def calls(**counts):
    return {"net": {"calls": counts}}


def test_counts_grow_from_the_first_look():
    metrics, sink = Metrics(calls(db=100, cache=5)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url, other=None)
        until(lambda: sink.counts("cache") == [0])
        metrics.show(calls(db=103, cache=5))
        metrics.show(calls(db=110, cache=5))
        counting.stop()
    assert sink.counts() == [0, 3, 10]
    assert sink.counts("cache") == [0]
    assert {seen.caller for seen in sink} == {"shop"}
    assert sorted(seen.at_s for seen in sink) == [seen.at_s for seen in sink]


def test_a_restart_takes_nothing_back():
    metrics, sink = Metrics(calls(db=100)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: sink.counts() == [0])
        for count in (120, 3, 7, 0, 2):
            metrics.show(calls(db=count))
        counting.stop()
    assert sink.counts() == [0, 20, 23, 27, 29]


def test_a_service_that_is_away_is_looked_at_again():
    metrics, sink = Metrics(calls(db=10)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: sink.counts() == [0])
        metrics.show(b"starting up")
        metrics.show(calls())
        metrics.show(calls(db=4))
        counting.stop()
    assert sink.counts() == [0, 4]


def test_a_dependency_that_shows_later_counts_from_then():
    metrics, sink = Metrics(calls(db=10)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: sink.counts() == [0])
        metrics.show(calls(db=10, cache=7))
        metrics.show(calls(db=10, cache=9))
        counting.stop()
    assert sink.counts("cache") == [0, 2]


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b'{"net": 5}',
        b'{"net": {"calls": [1]}}',
        b'{"net": {"calls": {"db": "many"}}}',
        b'{"net": {"calls": {"db": null}}}',
        b'{"net": {"calls": {"db": Infinity}}}',
        b'{"net": {"calls": {"db": NaN}}}',
        b"[" * 100_000,
        b" " * (2 << 20),
    ],
)
def test_garbage_is_overlooked_and_looking_goes_on(page):
    metrics, sink = Metrics(calls(db=1)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: sink.counts() == [0])
        metrics.show(page)
        metrics.show(calls(db=2))
        counting.stop()
    assert sink.counts() == [0, 1]


def test_an_error_page_is_no_count():
    sink = Sink()
    looks = []

    def failing(connection, number):
        for _ in requests(connection):
            page = json.dumps(calls(db=number)).encode()
            connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
            looks.append(number)

    with serving(failing) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: len(looks) > 3)
        counting.stop()
    assert sink == []


def test_one_that_hangs_spoils_nothing_for_others_nor_the_end(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)

    def drips(connection, number):
        for _ in requests(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
            for _ in range(5000):
                connection.sendall(b" ")
                time.sleep(0.05)

    metrics, sink = Metrics(calls(db=1)), Sink()
    with serving(metrics) as good, serving(drips) as bad:
        counting = watching(sink, shop=good.url, slow=bad.url)
        until(lambda: sink.counts() == [0])
        metrics.show(calls(db=5))
        began_s = time.monotonic()
        counting.stop()
        assert time.monotonic() - began_s < 20
    assert sink.counts() == [0, 4]


def test_nothing_to_count_starts_nothing():
    before = threading.active_count()
    counting = watching(Sink(), shop=None)
    assert threading.active_count() == before
    counting.stop()


def test_after_the_end_nothing_is_told():
    metrics, sink = Metrics(calls(db=1)), Sink()
    with serving(metrics) as server:
        counting = watching(sink, shop=server.url)
        until(lambda: sink.counts() == [0])
        counting.stop()
        metrics.page = calls(db=9)
        time.sleep(0.2)
    assert sink.counts() == [0]
