from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from fuzzer.edges.client import TOXIPROXYS, EdgeProxyClient, ProxySpec
from fuzzer.edges.toxics.catalogue import TOXICS
from models.errors import RuntimeUnavailable
from models.toxic import Toxic


def test_it_knows_what_ours_can_do(process):
    assert process.client.kinds() == frozenset(TOXICS)
    assert process.client.kinds() > TOXIPROXYS
    assert process.client.version()


def test_what_was_added_is_shown_and_removed(process):
    client = process.client
    [spec] = client.populate([ProxySpec("a b/ü", "127.0.0.1:0", "a.example:80")]).values()
    assert client.proxies()["a b/ü"] == spec
    added = client.add_toxic(spec.name, Toxic("latency", {"latency": 100.0}, "upstream", 0.5))
    assert added == Toxic("latency", {"latency": 100, "jitter": 0}, "upstream", 0.5, "latency_upstream")
    client.add_toxic(spec.name, Toxic("loss", name="x/y"))
    assert client.toxics(spec.name)[0] == added
    client.remove_toxics(spec.name)
    assert client.toxics(spec.name) == ()
    client.add_toxic(spec.name, Toxic("loss"))
    client.reset()
    assert client.toxics(spec.name) == ()


def test_a_refusal_is_told(process):
    with pytest.raises(
        RuntimeUnavailable, match=r"refused GET /proxies/none/toxics \(404\): proxy not found"
    ):
        process.client.remove_toxics("none")


def test_nobody_there_is_told():
    with pytest.raises(RuntimeUnavailable, match="does not answer"):
        EdgeProxyClient("http://127.0.0.1:9", 1.0).version()


class Other(BaseHTTPRequestHandler):
    """Something that answers 404 to what it does not know, as Toxiproxy does, and else with a text."""

    def do_GET(self):
        self.send_response(404 if self.path == "/toxics" else 200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def other():
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield EdgeProxyClient(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def test_a_real_toxiproxy_has_seven(other):
    assert other.kinds() == TOXIPROXYS


def test_somebody_else_on_that_port_is_told(other):
    with pytest.raises(RuntimeUnavailable, match="is no edge proxy"):
        other.version()
