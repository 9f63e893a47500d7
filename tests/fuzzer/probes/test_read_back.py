"""What clients were told is stored, read back from real servers."""

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fuzzer.probes import read_back as module
from fuzzer.probes.read_back import read_back
from models.load import Durable, Fate, Written
from tests.fuzzer.probes.servers import polite, serving


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def store():
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        server.daemon_threads = True
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def written(*ids, path="/orders/{id}"):
    return [
        Written("buy", "POST /orders", id, float(number), Durable("db", path))
        for number, id in enumerate(ids)
    ]


def fates(found):
    return {one.id: one.fate for one in found}


def test_found_lost_and_unreadable(store):
    answers = {
        "/orders/a": (200, b'{"id": "a"}'),
        "/orders/b": (404, b"no a here"),
        "/orders/c": (410, b""),
        "/orders/d": (500, b"d"),
        "/orders/e": (200, b"something else"),
        "/orders/f": (200, b""),
    }
    store.answer = answers.__getitem__
    found = read_back(written("a", "b", "c", "d", "e", "f"), {"db": store.url})
    assert fates(found) == {
        "a": Fate.FOUND,
        "b": Fate.LOST,
        "c": Fate.LOST,
        "d": Fate.UNREADABLE,
        "e": Fate.UNREADABLE,
        "f": Fate.UNREADABLE,
    }
    assert [one.detail for one in found[:2]] == ["GET /orders/a: HTTP 200", "GET /orders/b: HTTP 404"]
    assert found[4].detail == "GET /orders/e: HTTP 200, but the answer does not name it"
    assert (found[1].load, found[1].endpoint, found[1].written_s) == ("buy", "POST /orders", 1.0)


@pytest.mark.parametrize(("id", "body"), [("1", b'{"id": 12}'), ("a", b'{"data": "b"}')])
def test_a_part_of_another_word_names_nothing(store, id, body):
    store.answer = lambda path: (200, body)
    assert fates(read_back(written(id), {"db": store.url})) == {id: Fate.UNREADABLE}


@pytest.mark.parametrize("id", ["a b", "a/b?c#d", "ä", "..", "50%"])
def test_ids_of_any_kind(store, id):
    asked = []

    def answer(path):
        asked.append(path)
        return 200, f'{{"id": "{id}"}}'.encode()

    store.answer = answer
    assert fates(read_back(written(id, path="/q?id={id}&x"), {"db": store.url})) == {id: Fate.FOUND}
    assert len(asked) == 1
    assert asked[0].startswith("/q?id=")
    assert asked[0].endswith("&x")
    assert "#" not in asked[0]


def test_a_store_that_needs_a_moment(store):
    asked = Counter()

    def answer(path):
        asked[path] += 1
        return (200, b"a b") if asked[path] == 3 else (404, b"")

    store.answer = answer
    assert set(fates(read_back(written("a", "b"), {"db": store.url})).values()) == {Fate.FOUND}
    assert asked == {"/orders/a": 3, "/orders/b": 3}  # and not again once it was there


def test_what_comes_back_late_but_in_doubt_is_in_doubt(store):
    """Only the last word counts: absent at first, then not to be read, is no loss."""
    answers = iter([(404, b""), (404, b""), (404, b""), (503, b"")])
    store.answer = lambda path: next(answers)
    assert fates(read_back(written("a"), {"db": store.url})) == {"a": Fate.UNREADABLE}


def test_many_that_are_lost_do_not_add_up(store):
    store.answer = lambda path: (404, b"")
    began_s = time.monotonic()
    found = read_back(written(*(f"w{n}" for n in range(100))), {"db": store.url})
    assert set(fates(found).values()) == {Fate.LOST}
    assert len(found) == 100
    assert time.monotonic() - began_s < 25  # one after the other it would be more


def test_the_newest_are_read(store, monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    store.answer = lambda path: (200, path.encode())
    found = read_back(list(reversed(written("a", "b", "c", "d", "e"))), {"db": store.url})
    assert [one.id for one in found] == ["c", "d", "e"]


def test_a_store_that_does_not_answer_proves_nothing_and_does_not_hold_up():
    with serving(lambda connection, number: time.sleep(5)) as server:
        began_s = time.monotonic()
        found = read_back(
            written(*(f"w{n}" for n in range(40))), {"db": server.url.removesuffix("/health")}, 1.0
        )
        assert time.monotonic() - began_s < 20  # one after the other it would be 40 s
    assert set(fates(found).values()) == {Fate.UNREADABLE}
    assert found[-1].detail == "GET /orders/w39: not asked, reading back took too long"


def test_nobody_there_garbage_and_no_address():
    with serving(polite(b"nonsense\r\n\r\n")) as server:
        garbage = read_back(written("a"), {"db": server.url.removesuffix("/health")})
    gone = read_back(written("a"), {"db": server.url.removesuffix("/health")})
    nowhere = read_back(written("a"), {"db": ""})
    assert [one.fate for one in (*garbage, *gone, *nowhere)] == [Fate.UNREADABLE] * 3
    assert garbage[0].detail == "GET /orders/a: BadStatusLine"
    assert gone[0].detail == "GET /orders/a: ConnectionRefusedError"
    assert nowhere[0].detail == "db has no address now"


def test_nothing_was_written():
    assert read_back([], {}) == []
