"""A small shop to ask, and the load tools that are installed here."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fuzzer.loads.outside.base import Moment

RECORDED = Path(__file__).with_name("recorded")

BEGAN = Moment(1000.0, 1795165200.0)
"""When the recorded reports began: 2026-11-20T10:00:00+01:00."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        with self.server.lock:
            self.server.asked[path] += 1
        if path == "/hangup":
            self.close_connection = True
            return
        status = {"/broken": 503, "/missing": 404}.get(path, 200)
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.do_GET()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a client that goes away is no news


@pytest.fixture
def shop():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.lock, server.asked = threading.Lock(), Counter()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def nobody():
    """A URL where nobody listens."""
    with Server(("127.0.0.1", 0), Handler) as server:
        port = server.server_port
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def installed(monkeypatch):
    """Call it with a tool's name: the test is skipped where the tool is not."""
    monkeypatch.setenv("ARTILLERY_DISABLE_TELEMETRY", "true")
    if folder := os.environ.get("KNOCKON_TOOLS"):
        monkeypatch.setenv("PATH", folder, prepend=os.pathsep)

    def need(name):
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed here; see scripts/load-tools.sh")

    return need


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Call it with a name and Python code: that is then a program on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def make(name, code):
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{code}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def until():
    """Call it with a condition: returns when it holds."""

    def wait(condition, limit_s=60.0):
        deadline_s = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < deadline_s, "it never came true"
            time.sleep(0.02)

    return wait


@pytest.fixture
def recorded(tmp_path):
    """A folder with a copy of what is recorded."""
    folder = tmp_path / "report"
    shutil.copytree(RECORDED, folder)
    return folder


@pytest.fixture
def began():
    return BEGAN
