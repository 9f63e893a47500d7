"""The edge proxy: how true its toxics are, and what it costs beside no proxy and beside HAProxy.

    python -m benchmarks.edge [--rounds 5] [--connections 400] [--megabytes 400] [--requests 1000]

**Truth.** Latency asked for against latency measured, as the median of exchanges on a connection that is
kept open, less the median without a toxic; bar: within 5 ms or 5 %. Loss: the share of exchanges that are
late by 200 ms or more among ``--requests``, on 50 connections in parallel, against the share asked for; bar:
within 3 points.

**Cost.** In turn, round by round, through nothing, through our proxy and through HAProxy in TCP mode (from
Debian's package; without it the comparison is left out, and that is said): the time of a new connection
with its first exchange of one byte, the time of an exchange on an open connection, and the throughput
downstream. Medians of all; of the throughput, of the rounds. Bars: a new connection through ours costs at
most 2 ms more than a direct one.

Client, server and proxies share this machine's cores, so the figures tell the ways apart from each other and
say nothing about a network.
"""

from __future__ import annotations

import argparse
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from benchmarks.bars import Bars, run
from fuzzer.edges.client import EdgeProxyClient, ProxySpec
from fuzzer.edges.process import EdgeProcess
from models.toxic import Toxic

NAME = "bench"
LATENCIES_MS = (5, 20, 100, 500)
LOSSES_PERCENT = (5, 20)
LATE_S = 0.19
LATENCY_WITHIN_MS, LATENCY_WITHIN = 5.0, 0.05
LOSS_WITHIN_POINTS = 3.0
CONNECTION_MS = 2.0
CONNECTIONS = 50
CHUNK = bytes(65_536)

Where = tuple[str, int]


def serve() -> None:
    """A process: echoes; what begins with ``G<bytes>`` is answered with so many bytes."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        while data := connection.recv(4096):
            if data.startswith(b"G"):
                left = int(data[1:])
                while left > 0:
                    connection.sendall(CHUNK)
                    left -= len(CHUNK)
            else:
                connection.sendall(data)


@contextmanager
def serving() -> Iterator[Where]:
    """The server, a process of its own."""
    program = [sys.executable, "-c", "from benchmarks.edge import serve; serve()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield "127.0.0.1", int(process.stdout.readline())
        finally:
            process.stdin.close()


@contextmanager
def haproxy(upstream: Where) -> Iterator[Where | None]:
    """HAProxy in TCP mode before the server; None if there is none."""
    program = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
    if not program:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (
        "global\n maxconn 4000\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n"
        f" timeout server 60s\nlisten edge\n bind 127.0.0.1:{port}\n server up {upstream[0]}:{upstream[1]}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "haproxy.cfg")
        config.write_text(text, encoding="utf-8")
        process = subprocess.Popen([program, "-db", "-q", "-f", config], stderr=subprocess.DEVNULL)
        try:
            _until_listening(("127.0.0.1", port))
            yield "127.0.0.1", port
        finally:
            process.terminate()
            process.wait()


def _until_listening(where: Where) -> None:
    deadline_s = time.monotonic() + 10
    while True:
        with socket.socket() as caller:
            if caller.connect_ex(where) == 0:
                return
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"nothing listens on {where}")
        time.sleep(0.02)


def connect(where: Where) -> socket.socket:
    """A connection that sends what it is given at once."""
    caller = socket.create_connection(where, 60)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return caller


def exchanges_ms(where: Where, times: int) -> list[float]:
    """One connection, one byte to and fro, so many times."""
    taken = []
    with connect(where) as caller:
        for _ in range(times):
            began_s = time.perf_counter()
            caller.sendall(b"x")
            caller.recv(1)
            taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def connections_ms(where: Where, times: int) -> list[float]:
    """A new connection and its first exchange, so many times."""
    taken = []
    for _ in range(times):
        began_s = time.perf_counter()
        with connect(where) as caller:
            caller.sendall(b"x")
            caller.recv(1)
            taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def throughput(where: Where, megabytes: int) -> float:
    """MB/s downstream on one connection."""
    wanted = megabytes * 1_000_000 // len(CHUNK) * len(CHUNK)
    buffer = memoryview(bytearray(1_000_000))
    with connect(where) as caller:
        began_s = time.perf_counter()
        caller.sendall(b"G%d" % wanted)
        got = 0
        while got < wanted:
            got += caller.recv_into(buffer)
        return got / 1_000_000 / (time.perf_counter() - began_s)


def late_share(where: Where, times: int) -> float:
    """Of so many exchanges on parallel connections, how many were late, in percent."""
    callers = [connect(where) for _ in range(CONNECTIONS)]
    sent_s: dict[int, float] = {}
    done = late = 0
    with selectors.DefaultSelector() as selector:
        for caller in callers:
            selector.register(caller, selectors.EVENT_READ)
            sent_s[caller.fileno()] = time.perf_counter()
            caller.sendall(b"x")
        started = len(callers)
        while done < times:
            for key, _ in selector.select(60):
                caller = key.fileobj
                assert isinstance(caller, socket.socket)
                caller.recv(1)
                done += 1
                late += time.perf_counter() - sent_s[key.fd] >= LATE_S
                if started < times:
                    started += 1
                    sent_s[key.fd] = time.perf_counter()
                    caller.sendall(b"x")
    for caller in callers:
        caller.close()
    return 100 * late / times


def truth(bars: Bars, client: EdgeProxyClient, where: Where, requests: int) -> None:
    """Asked for, and measured."""
    client.reset()
    base_ms = median(exchanges_ms(where, 200))
    rows: list[tuple[object, ...]] = []
    apart: list[tuple[float, int]] = []
    for asked_ms in LATENCIES_MS:
        client.add_toxic(NAME, Toxic("latency", {"latency": asked_ms}))
        measured_ms = median(exchanges_ms(where, 40 if asked_ms < 100 else 12)) - base_ms
        client.reset()
        rows.append((f"latency {asked_ms} ms", f"{measured_ms:.2f} ms", f"{measured_ms - asked_ms:+.2f} ms"))
        apart.append((abs(measured_ms - asked_ms), asked_ms))
    losses = []
    for percent in LOSSES_PERCENT:
        client.add_toxic(NAME, Toxic("loss", {"percent": percent}))
        share = late_share(where, requests)
        client.reset()
        losses.append(abs(share - percent))
        rows.append((f"loss {percent} %", f"{share:.1f} % late", f"{share - percent:+.1f} points"))
    bars.table("Asked for against measured", ("toxic", "measured", "apart"), rows)
    for apart_ms, asked_ms in apart:
        within_ms = max(LATENCY_WITHIN_MS, LATENCY_WITHIN * asked_ms)
        bars.hold(f"latency {asked_ms} ms: off by", apart_ms, "<=", within_ms, " ms")
    bars.hold(
        f"loss, of {requests} requests: off by at most", max(losses), "<=", LOSS_WITHIN_POINTS, " points"
    )


def cost(bars: Bars, ways: dict[str, Where], options: argparse.Namespace) -> None:
    """Every way in turn, round by round."""
    news: dict[str, list[float]] = {name: [] for name in ways}
    olds: dict[str, list[float]] = {name: [] for name in ways}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, where in ways.items():
            news[name] += connections_ms(where, options.connections // options.rounds)
            olds[name] += exchanges_ms(where, 200)
            rates[name].append(throughput(where, options.megabytes))
    direct = next(iter(ways))
    base = median(news[direct]), median(olds[direct]), median(rates[direct])
    rows: list[tuple[object, ...]] = []
    for name in ways:
        figures = median(news[name]), median(olds[name]), median(rates[name])
        ratios = [one / other for one, other in zip(figures, base, strict=True)]
        rows.append(
            (
                name,
                f"{figures[0]:.3f} ms ({ratios[0]:.1f}×)",
                f"+{figures[0] - base[0]:.3f} ms",
                f"{figures[1]:.3f} ms ({ratios[1]:.1f}×)",
                f"{figures[2]:.0f} MB/s ({ratios[2]:.2f}×)",
            )
        )
    bars.table(
        f"No toxics; medians of {options.rounds} rounds, in brackets against direct",
        ("way", "new connection", "overhead", "exchange", "throughput"),
        rows,
    )
    bars.hold("overhead of a new connection", median(news["ours"]) - base[0], "<=", CONNECTION_MS, " ms")


def main(bars: Bars) -> None:
    """Both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=400)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--requests", type=int, default=1000)
    options = parser.parse_args()
    with serving() as server:
        upstream = f"{server[0]}:{server[1]}"
        with EdgeProcess([ProxySpec(NAME, "127.0.0.1:0", upstream)]) as process, haproxy(server) as other:
            host, _, port = process.listens[NAME].listen.partition(":")
            ours = host, int(port)
            truth(bars, process.client, ours, options.requests)
            if other is None:
                bars.console.print("HAProxy is not installed (apt-get install haproxy): not compared with")
            cost(bars, {"direct": server, "ours": ours, **({"HAProxy": other} if other else {})}, options)


if __name__ == "__main__":
    run(main)
