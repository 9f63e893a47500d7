from __future__ import annotations

import http.client
import json
import socket

import pytest

from tests.fuzzer.edges.rig import BUSY_S, Dependency, exchange_s, is_silent, read


@pytest.fixture
def ask(process):
    """Status and JSON of an answer, from a server that lives on."""

    def ask(method: str, path: str, body: object = None, raw: bytes | None = None):
        host, port = process.client._url.removeprefix("http://").split(":")
        calls = http.client.HTTPConnection(host, int(port), timeout=BUSY_S)
        calls.request(method, path, raw if raw is not None else None if body is None else json.dumps(body))
        answer = calls.getresponse()
        text = answer.read()
        calls.close()
        return answer.status, json.loads(text) if text else None

    yield ask
    assert ask("GET", "/version")[0] == 200


@pytest.fixture
def proxy(ask):
    """The path of a proxy, and the proxy."""
    made = ask("POST", "/proxies", {"name": "p/1", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"})
    assert made[0] == 201
    yield "/proxies/p%2F1", made[1]
    ask("DELETE", "/proxies/p%2F1")


def test_a_proxy_is_created_shown_changed_and_removed(ask, proxy):
    path, made = proxy
    assert made == {
        "name": "p/1",
        "listen": made["listen"],
        "upstream": "127.0.0.1:9",
        "enabled": True,
        "toxics": [],
    }
    assert not made["listen"].endswith(":0")
    assert ask("GET", path) == (200, made)
    assert ask("GET", "/proxies")[1]["p/1"] == made
    assert ask("POST", path, {"enabled": False})[1] == {**made, "enabled": False}
    assert ask("PATCH", path, {"enabled": True, "upstream": "b.example:1"})[1]["upstream"] == "b.example:1"
    assert ask("DELETE", path) == (204, None)
    assert ask("GET", path) == (404, {"error": "proxy not found", "status": 404})
    assert ask("DELETE", path)[0] == 404


def test_a_toxic_is_added_shown_changed_and_removed(ask, proxy):
    toxics = f"{proxy[0]}/toxics"
    made = {
        "name": "latency_downstream",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 1.0,
        "attributes": {"latency": 100, "jitter": 0},
    }
    assert ask("POST", toxics, {"type": "latency", "attributes": {"latency": 100}}) == (200, made)
    assert ask("POST", toxics, {"type": "timeout", "name": "latency_downstream"})[0] == 409
    assert ask("GET", toxics) == (200, [made])
    one = f"{toxics}/latency_downstream"
    made["attributes"]["jitter"], made["toxicity"] = 5, 0.5
    assert ask("PATCH", one, {"attributes": {"jitter": 5}, "toxicity": 0.5}) == (200, made)
    assert ask("POST", one, {}) == (200, made)
    assert ask("GET", one) == (200, made)
    assert ask("DELETE", one) == (204, None)
    assert ask("GET", one) == (404, {"error": "toxic not found", "status": 404})


def test_toxics_outlive_a_proxy_that_is_switched_off_and_end_with_a_reset(ask, proxy):
    path = proxy[0]
    ask("POST", f"{path}/toxics", {"type": "timeout"})
    ask("POST", path, {"enabled": False})
    assert len(ask("GET", path)[1]["toxics"]) == 1
    assert ask("POST", "/reset") == (204, None)
    shown = ask("GET", path)[1]
    assert (shown["enabled"], shown["toxics"]) == (True, [])


def test_populate_keeps_what_is_the_same_and_replaces_what_is_not(ask, proxy):
    path, made = proxy
    ask("POST", f"{path}/toxics", {"type": "timeout"})
    same = {key: made[key] for key in ("name", "listen", "upstream")}
    assert ask("POST", "/populate", [same])[0] == 201
    assert len(ask("GET", path)[1]["toxics"]) == 1
    status, answer = ask("POST", "/populate", [{**same, "upstream": "127.0.0.1:10"}])
    assert status == 201
    assert answer["proxies"] == [{**made, "upstream": "127.0.0.1:10"}]


PROXY = {"name": "new", "upstream": "a:1"}
WRONG_PROXIES = [
    ({"upstream": "a:1"}, "missing required field: name"),
    ({"name": "new"}, "missing required field: upstream"),
    ({**PROXY, "upstream": "a"}, "host:port"),
    ({**PROXY, "upstream": ":80"}, "needs a host and a port"),
    ({**PROXY, "listen": "127.0.0.1:99999"}, "host:port"),
    ({**PROXY, "listen": 5}, "listen must be a text"),
    ({**PROXY, "listen": "192.0.2.1:0"}, "cannot listen on 192.0.2.1:0"),
    ({**PROXY, "enabled": "yes"}, "enabled must be true or false"),
    ({**PROXY, "name": "x" * 300}, "at most 255"),
    (["a"], "must be an object"),
]


@pytest.mark.parametrize(("body", "told"), WRONG_PROXIES)
def test_a_wrong_proxy_is_told(ask, body, told):
    status, answer = ask("POST", "/proxies", body)
    assert (status, answer["status"]) == (400, 400)
    assert told in answer["error"]
    assert ask("GET", "/proxies/new")[0] == 404


def test_a_name_or_a_port_that_is_taken_is_told(ask, proxy):
    made = proxy[1]
    assert ask("POST", "/proxies", made) == (409, {"error": "proxy already exists", "status": 409})
    status, answer = ask("POST", "/proxies", {**made, "name": "new"})
    assert status == 400
    assert made["listen"] in answer["error"]
    assert ask("POST", "/populate", [PROXY, PROXY])[0] == 400


LATENCY = {"type": "latency"}
WRONG_TOXICS = [
    (b'{"type": "latency", "attributes": {"latency": NaN}}', "NaN"),
    (b'{"type": "latency", "attributes": {"latency": 1e999}}', "latency.latency"),
    (b'{"type": "latency", "attributes": {"latency": 1' + b"0" * 400 + b"}}", "latency.latency"),
    ({**LATENCY, "attributes": {"latency": -1}}, "from 0 to"),
    ({**LATENCY, "attributes": {"latency": "1"}}, "must be a number"),
    ({**LATENCY, "attributes": {"latency": True}}, "must be a number"),
    ({**LATENCY, "attributes": {"latenzy": 1}}, "known: latency, jitter"),
    ({**LATENCY, "attributes": [1]}, "attributes must be an object"),
    ({**LATENCY, "toxicity": 2}, "toxicity must be from 0 to 1"),
    ({**LATENCY, "stream": "sideways"}, "upstream or downstream"),
    ({"type": "poison"}, "invalid toxic type 'poison'"),
    ({"type": "http_error", "attributes": {"status": 200}}, "from 400 to 599"),
    ({"type": "http_error", "attributes": {"status": 500.5}}, "whole"),
    ({"type": "loss", "attributes": {"percent": 101}}, "from 0 to 100"),
    (b"", "bad request body"),
    (b"\xff\xfe{", "bad request body"),
    (b"[" * 100_000, "bad request body"),
    (b'{"type": "latency", "name": "' + b"x" * 3_000_000 + b'"}', "more than 1048576 bytes"),
]


@pytest.mark.parametrize(("body", "told"), WRONG_TOXICS)
def test_a_wrong_toxic_is_told(ask, proxy, body, told):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer = ask("POST", f"{proxy[0]}/toxics", raw=raw)
    assert (status, answer["status"]) == (400, 400)
    assert told in answer["error"]
    assert ask("GET", f"{proxy[0]}/toxics") == (200, [])


def test_a_change_that_is_wrong_changes_nothing(ask, proxy):
    toxics = f"{proxy[0]}/toxics"
    ask("POST", toxics, {"type": "loss", "attributes": {"percent": 5}})
    assert ask("PATCH", f"{toxics}/loss_downstream", {"attributes": {"percent": -5}})[0] == 400
    assert ask("GET", f"{toxics}/loss_downstream")[1]["attributes"] == {"percent": 5}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/", 404), ("PUT", "/proxies", 405), ("GET", "/reset", 405)],
)
def test_what_is_not_there_is_told(ask, method, path, status):
    assert ask(method, path)[0] == status


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"A" * 200_000, b"\r\n" * 10, b"HTTP/1.1 200 OK\r\n\r\n"],
)
def test_garbage_is_answered_and_survived(process, ask, garbage):
    host, port = process.client._url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), BUSY_S) as caller:
        caller.sendall(garbage)
        caller.shutdown(socket.SHUT_WR)
        answer = read(caller, 10_000)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_a_browser_is_kept_out(process):
    host, port = process.client._url.removeprefix("http://").split(":")
    calls = http.client.HTTPConnection(host, int(port), timeout=BUSY_S)
    calls.request("GET", "/proxies", headers={"User-Agent": "Mozilla/5.0"})
    assert calls.getresponse().status == 403


def test_requests_share_a_connection(process):
    host, port = process.client._url.removeprefix("http://").split(":")
    calls = http.client.HTTPConnection(host, int(port), timeout=BUSY_S)
    ports = set()
    for _ in range(3):
        calls.request("POST", "/reset")
        answer = calls.getresponse()
        assert (answer.status, answer.read()) == (204, b"")
        ports.add(calls.sock.getsockname()[1])
    assert len(ports) == 1


def test_several_toxics_are_a_chain(edge):
    edge.add("latency", latency=50, name="first")
    edge.add("latency", latency=50, name="second")
    edge.add("slicer", average_size=3)
    caller = edge.connect()
    assert exchange_s(caller) >= 0.1
    edge.add("timeout", name="last")
    caller.sendall(b"hello")
    assert is_silent(caller)
    edge.clear()
    assert read(caller, 5) == b"hello"


def test_other_addresses_end_what_is_open(edge, ask):
    caller = edge.connect()
    exchange_s(caller)
    other = Dependency()
    assert ask("POST", f"/proxies/{edge.name}", {"upstream": other.address})[0] == 200
    assert caller.recv(1) == b""
    exchange_s(edge.connect())
    assert other.chunks
    other.close()
