"""The published Python client of Toxiproxy drives our server."""

from __future__ import annotations

import socket

import pytest
import toxiproxy
from toxiproxy.api import APIConsumer
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from fuzzer.edges.process import EdgeProcess
from tests.fuzzer.edges.rig import BUSY_S, Dependency, exchange_s


@pytest.fixture(scope="module")
def process():
    """One of its own: this client wants to destroy everything, and quotes no names."""
    with EdgeProcess([]) as process:
        yield process


@pytest.fixture
def server(process, monkeypatch):
    host, port = process.client._url.removeprefix("http://").split(":")
    monkeypatch.setattr(APIConsumer, "host", host)
    monkeypatch.setattr(APIConsumer, "port", int(port))
    server = toxiproxy.Toxiproxy()
    server.destroy_all()
    yield server
    server.destroy_all()


@pytest.fixture
def dependency():
    dependency = Dependency()
    yield dependency
    dependency.close()


def connect(proxy: toxiproxy.Proxy) -> socket.socket:
    host, _, port = proxy.listen.partition(":")
    return socket.create_connection((host, int(port)), BUSY_S)


def test_it_creates_finds_and_destroys(server):
    assert server.running()
    assert b"version" in server.version()
    proxy = server.create(name="web", upstream="127.0.0.1:1", listen="127.0.0.1:0")
    assert server.get_proxy("web").upstream == "127.0.0.1:1"
    with pytest.raises(ProxyExists):
        APIConsumer.post("/proxies", json={"name": "web", "upstream": "127.0.0.1:1"})
    assert proxy.destroy()
    assert server.get_proxy("web") is None
    with pytest.raises(NotFound):
        proxy.destroy()


def test_it_populates(server):
    made = server.populate(
        [{"name": name, "upstream": "127.0.0.1:1", "listen": "127.0.0.1:0"} for name in ("one", "two")]
    )
    assert [proxy.name for proxy in made] == ["one", "two"]
    assert set(server.proxies()) == {"one", "two"}


def test_it_adds_toxics_that_bite_and_removes_them(server, dependency):
    proxy = server.create(name="web", upstream=dependency.address, listen="127.0.0.1:0")
    with connect(proxy) as caller:
        exchange_s(caller)
        proxy.add_toxic(type="latency", attributes={"latency": 200})
        assert exchange_s(caller) >= 0.2
        toxic = proxy.get_toxic("latency_downstream")
        assert (toxic.type, toxic.stream, toxic.toxicity) == ("latency", "downstream", 1.0)
        assert toxic.attributes == {"latency": 200, "jitter": 0}
        assert proxy.destroy_toxic("latency_downstream")
        assert proxy.toxics() == {}
        with pytest.raises(InvalidToxic):
            proxy.add_toxic(type="poison")
        exchange_s(caller)


def test_it_takes_a_proxy_down_and_resets_all(server, dependency):
    proxy = server.create(name="web", upstream=dependency.address, listen="127.0.0.1:0")
    with proxy.down(), pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.disable()
    proxy.add_toxic(type="reset_peer")
    assert server.reset()
    with connect(proxy) as caller:
        exchange_s(caller)
    assert server.get_proxy("web").toxics() == {}
