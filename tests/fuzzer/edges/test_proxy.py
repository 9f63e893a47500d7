from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress

import pytest

from fuzzer.edges.client import ProxySpec
from tests.fuzzer.edges.rig import BUSY_S, exchange_s, is_silent, read
from tests.support.waiting import until


def test_bytes_pass_both_ways_unchanged(edge):
    data = os.urandom(5_000_000)
    caller = edge.connect()
    threading.Thread(target=caller.sendall, args=(data,), daemon=True).start()
    assert read(caller, len(data)) == data


def test_a_half_close_is_passed_on_as_one(edge):
    caller = edge.connect()
    caller.sendall(b"hello")
    caller.shutdown(socket.SHUT_WR)
    assert read(caller, 100) == b"hello"
    until(lambda: edge.dependency.endings == ["end"])


def test_a_reset_is_passed_on_as_one(edge):
    caller = edge.connect()
    exchange_s(caller)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    caller.close()
    until(lambda: edge.dependency.endings == ["reset"])


def test_a_dead_dependency_resets_the_caller_without_a_byte(process, edge):
    edge.dependency.listener.shutdown(socket.SHUT_RDWR)
    edge.dependency.listener.close()
    with pytest.raises(ConnectionResetError):
        edge.connect().recv(1)


def test_a_name_that_does_not_resolve_is_a_dead_dependency(process):
    made = process.client.populate([ProxySpec("nobody", "127.0.0.1:0", "nobody.invalid:80")])
    host, _, port = made["nobody"].listen.partition(":")
    with socket.create_connection((host, int(port)), BUSY_S) as caller, pytest.raises(ConnectionResetError):
        caller.recv(1)


def test_disabled_it_refuses_and_drops_what_is_open_and_comes_back_on_its_port(edge):
    caller = edge.connect()
    exchange_s(caller)
    edge.client.set_enabled(edge.name, False)
    assert caller.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        edge.connect()
    edge.client.set_enabled(edge.name, True)
    exchange_s(edge.connect())


def test_a_caller_is_not_read_faster_than_the_dependency_reads(edge):
    """Bounded buffers: a stalled edge must not swallow a sender's gigabytes."""
    edge.add("timeout", "upstream", timeout=0)
    caller = edge.connect()
    caller.settimeout(0.5)
    sent = 0
    with suppress(TimeoutError):
        while sent < 200_000_000:
            sent += caller.send(bytes(1_000_000))
    assert sent < 200_000_000
    caller.settimeout(BUSY_S)
    edge.clear()
    assert len(read(caller, sent)) == sent


def test_what_was_held_back_flows_again_after_its_caller_finished(edge):
    edge.add("timeout", "upstream", timeout=0)
    caller = edge.connect()
    caller.sendall(b"hello")
    caller.shutdown(socket.SHUT_WR)
    assert is_silent(caller)
    edge.clear()
    assert read(caller, 100) == b"hello"


def test_thousands_of_connections_leave_nothing_behind(process, edge):
    def files() -> int:
        return len(os.listdir(f"/proc/{process.pid}/fd"))

    exchange_s(edge.connect())
    before = files()
    for number in range(2000):
        with socket.create_connection(edge.where, BUSY_S) as caller:
            if number % 3 == 0:
                exchange_s(caller)
            elif number % 3 == 1:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: files() <= before, f"the files of {process.pid} are closed")


def test_hundreds_of_connections_at_once(edge):
    callers = [edge.connect() for _ in range(300)]
    for caller in callers:
        caller.sendall(b"hello")
    assert all(read(caller, 5) == b"hello" for caller in callers)
    edge.add("reset_peer", timeout=0)
    for caller in callers:
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
