"""Whose engine it is. The engine here is this machine's; what makes it another's is a tunnel, or a name."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from fuzzer.runtimes.docker.whereabouts import whereabouts

ROOT = Path(__file__).parents[4]
SOCKET = "/var/run/docker.sock"


@pytest.mark.parametrize(
    ("where", "remote"),
    [
        ("ssh://me@far.example.org", "the engine is at ssh://me@far.example.org"),
        ("ssh://127.0.0.1", "the engine is at ssh://127.0.0.1"),
        ("tcp://10.0.0.7:2376", "the engine is at tcp://10.0.0.7:2376"),
        ("tcp://prod.example.org:2376", "the engine is at tcp://prod.example.org:2376"),
    ],
)
def test_another_machines_engine_is_known_by_its_address_and_not_asked(monkeypatch, where, remote):
    monkeypatch.setenv("DOCKER_HOST", where)
    place = whereabouts("shop", ask=False)
    assert place.remote == remote
    assert ("the project", "shop") in place.names
    assert len(place.names) == 2


@pytest.fixture
def tunnel(engine):
    """A port of loopback that leads to the engine's socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink):
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve():
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(SOCKET)
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


@pytest.mark.docker
def test_the_socket_here_is_this_machines(engine, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    place = whereabouts("shop", ask=False)
    assert place.remote == ""
    assert ("the engine", socket.gethostname()) in place.names


@pytest.mark.docker
def test_a_port_of_loopback_is_this_machines_if_its_engine_says_so(tunnel, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", tunnel)
    assert whereabouts("shop", ask=False).remote == ""
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    assert whereabouts("shop", ask=False).remote.startswith(f"{tunnel} leads to the engine of ")


COMPOSE = """\
name: knockon-nowhere
x-knockon: {enabled: true}
services: {web: {image: x}}
"""


@pytest.mark.docker
@pytest.mark.skipif(os.geteuid() != 0, reason="a machine of another name needs root")
def test_the_end_of_a_tunnel_is_refused_unless_remote_engines_are_allowed(tunnel, tmp_path):
    """The program runs on a machine that is called otherwise: in a UTS namespace of its own."""
    (tmp_path / "compose.yaml").write_text(COMPOSE)

    def kill(*options):
        python = f"{sys.executable} -c 'from fuzzer.cli.main import main; main()'"
        program = f'hostname elsewhere && exec {python} "$@"'
        words = ["kill", "web", "--target", "compose.yaml", *options]
        return subprocess.run(
            ["unshare", "--uts", "sh", "-c", program, "sh", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DOCKER_HOST": tunnel},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    refused = kill()
    if "unshare" in refused.stderr:
        pytest.skip(refused.stderr)
    assert refused.returncode == 2, refused.stderr
    assert f"Error: {tunnel} leads to the engine of " in refused.stderr
    assert "if it is to be touched all the same: --allow-remote" in refused.stderr
    allowed = kill("--allow-remote")
    assert allowed.returncode == 2, allowed.stderr
    assert "the compose project 'knockon-nowhere' has no container of web" in allowed.stderr
