"""Secrets planted wherever a fleet has any; after real runs no output and no file holds one of them."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import pytest
from docker.errors import NotFound

from fuzzer.runtimes.docker.clients import TROUBLE, default_client
from fuzzer.runtimes.local.runtime import LocalRuntime
from fuzzer.targets.files import load_target
from tests.support.ports import free_ports
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "python:3.11-slim"

# It tells everybody all that it knows: in its log, and in its answers.
CHATTY = """
import os, socket, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
told = "\\x1b]0;taken over\\x07" + repr(dict(os.environ)) + repr(sys.argv)
print(told, flush=True)
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (told + str(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        print(told, self.headers, flush=True)
def exit_with(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as needed:
            needed.settimeout(None)
            needed.recv(1)
    finally:
        os._exit(1)
if os.environ.get("NEEDS"):
    threading.Thread(target=exit_with, args=(int(os.environ["NEEDS"]),), daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def canary(place: str) -> str:
    """A secret that is found again, with characters that are written differently in JSON and in URLs."""
    return f'c4n4ry"{place}/{token_hex(4)}'


class Planted:
    """A target full of secrets, and a state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "state"
        self.db, self.web = free_ports(2)
        names = (
            "environment",
            "env_file",
            "dotenv",
            "url",
            "health",
            "header",
            "local",
            "argument",
            "process",
        )
        self.secrets = {name: canary(name) for name in names}
        (folder / "chatty.py").write_text(CHATTY)
        (folder / ".env").write_text(f"SIGNING_SECRET='{self.secrets['dotenv']}'\n")
        (folder / "web.env").write_text(f"SESSION_TOKEN='{self.secrets['env_file']}'\n")
        self.write()

    def write(self, *, limits: object = None) -> None:
        """The compose file."""
        s = self.secrets
        user = f"http://me:{quote(s['health'], safe='')}@127.0.0.1"
        command = [sys.executable, str(self.folder / "chatty.py"), "--token", s["argument"]]

        def service(port: int, **more: str) -> dict[str, object]:
            local = {"PORT": str(port), "ADMIN_PASSWORD": s["local"], **more}
            return {
                "image": "x",
                "restart": "unless-stopped",
                "ports": [f"127.0.0.1:{port}:80"],
                "environment": {
                    "DB_PASSWORD": s["environment"],
                    "JWT_SECRET": "${SIGNING_SECRET}",
                    "PROCESS_TOKEN": "${CI_TOKEN:-}",
                    "DB": f"postgres://me:{quote(s['url'], safe='')}@elsewhere:5432/orders",
                },
                "env_file": ["web.env"],
                "x-knockon": {
                    "health": f"{user}:{port}/health?token={quote(s['argument'], safe='')}",
                    "local": {"command": command, "environment": local},
                },
            }

        own = limits or {"recovery_s_max": 20, "observe_s": 0.3, "steady_s": 0.2, "baseline_s": 0.5}
        load = {
            "entry": "web",
            "path": "/",
            "rate_rps": 30,
            "headers": {"Authorization": f"Bearer {s['header']}"},
        }
        web = service(self.web, NEEDS=str(self.db))
        web["x-knockon"] |= {"soft": ["db"]}  # type: ignore[operator]
        web["depends_on"] = ["db"]
        target = {
            "x-knockon": {"enabled": True, "limits": own, "loads": {"visit": load}},
            "services": {"db": service(self.db), "web": web},
        }
        self.file = self.folder / "compose.yaml"
        self.file.write_text(json.dumps(target))

    def run(self, *words: str, runtime: str = "local") -> subprocess.CompletedProcess[str]:
        """The command line as a process of its own, told to be as talkative as it can."""
        where = ["--target", str(self.file), "--runtime", runtime, "--state", str(self.state)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "KNOCKON_TRACEBACK": "1"}
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from fuzzer.cli.main import main; main()",
                *words[:1],
                *where,
                *words[1:],
            ],
            cwd=self.folder,
            env={**environment, "CI_TOKEN": self.secrets["process"]},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.refuse_secrets(done.stdout + done.stderr, " ".join(words))
        assert "\x1b" not in done.stdout + done.stderr
        return done

    def refuse_secrets(self, text: str, where: str) -> None:
        """No secret stands there, in whatever form."""
        for name, secret in self.secrets.items():
            told = base64.b64encode(secret.encode()).decode().rstrip("=")
            for form in (secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], told):
                assert form not in text, f"{where} holds the secret of {name}"

    def refuse_secrets_in_files(self) -> list[str]:
        """Nor in any file that was made; returns their names."""
        mine = {self.file, *(self.folder / name for name in ("chatty.py", ".env", "web.env"))}
        made = [path for path in self.folder.rglob("*") if path.is_file() and path not in mine]
        for path in made:
            self.refuse_secrets(path.read_text(errors="replace"), str(path))
        return [path.name for path in made]


@pytest.fixture
def planted(tmp_path) -> Planted:
    return Planted(tmp_path)


def test_no_secret_of_a_local_fleet_gets_out(planted):
    held = planted.run("replay", "kill web; load visit 30rps 1s")
    assert held.returncode == 0, held.stdout + held.stderr
    broken = planted.run("kill", "db")
    assert broken.returncode == 1, broken.stdout + broken.stderr
    pinned = planted.run("pin", "kill db")
    assert pinned.returncode == 0, pinned.stdout + pinned.stderr
    for words in (("graph",), ("health", "--json"), ("doctor", "--json")):
        planted.run(*words)
    made = planted.refuse_secrets_in_files()
    assert {name.partition("-")[0] for name in made} >= {"played", "twin", "isolation"}
    kept = [planted.state, *planted.state.iterdir()]
    assert [path for path in kept if path.stat().st_mode & 0o077] == [], "others may look into these"


def test_no_secret_gets_out_when_things_go_wrong(planted):
    planted.write(limits={"steady_s": planted.secrets["environment"]})
    assert planted.run("kill", "db").returncode == 2, "a value that is a secret stands where it is wrong"
    planted.write()
    with socket.create_server(("127.0.0.1", planted.db)):
        assert planted.run("kill", "db").returncode == 2, "its port is taken"
    planted.refuse_secrets_in_files()
    assert planted.run("kill", planted.secrets["local"]).returncode == 2


def test_an_override_shows_no_secret_on_a_screen_and_whole_values_in_a_file(planted):
    text = planted.file.read_text().replace("@elsewhere:5432", "@db:5432")
    planted.file.write_text(text)
    words = [
        sys.executable,
        "-c",
        "from fuzzer.cli.main import main; main()",
        "wire",
        "--target",
        str(planted.file),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    screen, terminal = os.openpty()
    subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, env=environment, timeout=60, check=True)
    shown = os.read(screen, 1 << 16).decode()
    os.close(screen)
    os.close(terminal)
    assert "postgres://***@knockon-edges:20001/orders" in shown
    planted.refuse_secrets(shown, "the screen")
    written = subprocess.run(words, capture_output=True, env=environment, text=True, timeout=60, check=True)
    assert quote(planted.secrets["url"], safe="") in written.stdout


def test_the_logs_that_stay_after_an_error_hold_no_secret(planted):
    target = load_target([planted.file], {"CI_TOKEN": planted.secrets["process"]})
    with suppress(ZeroDivisionError), LocalRuntime(target, state_dir=planted.state):
        until(lambda: any("taken over" in log.read_text() for log in planted.state.rglob("db.log")))
        raise ZeroDivisionError
    assert "db.log" in planted.refuse_secrets_in_files()


def test_no_secret_of_a_modelled_fleet_gets_out(planted):
    assert planted.run("kill", "web", runtime="sim").returncode in (0, 1, 3)
    searched = planted.run("fuzz", "--examples", "20", "--seed", "1", runtime="sim")
    assert searched.returncode in (0, 1), searched.stdout + searched.stderr
    planted.refuse_secrets_in_files()


@pytest.fixture
def project():
    """Two containers with secrets in their environment, labelled as compose does it."""
    try:
        api = default_client()
        api.inspect_image(IMAGE)
    except (NotFound, *TROUBLE) as error:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            raise
        pytest.skip(f"no engine with {IMAGE}: {error}")
    name, secret = f"knockon-canary-{token_hex(3)}", canary("container")
    made = []
    try:
        for service in ("db", "web"):
            labels = {"project": name, "service": service, "container-number": "1", "oneoff": "False"}
            container = api.create_container(
                IMAGE,
                ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"],
                name=f"{name}-{service}-1",
                environment={"DB_PASSWORD": secret, "DB": f"pg://me:{quote(secret, safe='')}@db/x"},
                labels={f"com.docker.compose.{key}": value for key, value in labels.items()}
                | {"knockon.enable": "true"},
                host_config=api.create_host_config(
                    restart_policy={"Name": "unless-stopped"}, network_mode="none"
                ),
            )["Id"]
            made.append(container)
            api.start(container)
        yield api, name, secret
    finally:
        for container in made:
            api.remove_container(container, force=True)
        api.close()


def test_no_secret_of_containers_gets_out(planted, project):
    """Nor into the helpers and the journal on the engine, which anybody who may use it can read."""
    api, name, planted.secrets["container"] = project
    ours: dict[str, str] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            for label in ("knockon.helper", "knockon.journal"):
                for one in api.containers(all=True, filters={"label": [label]}):
                    if one["Id"] not in ours:
                        try:
                            ours[one["Id"]] = json.dumps(api.inspect_container(one["Id"]))
                        except NotFound:
                            continue

    watch = threading.Thread(target=look)
    watch.start()
    planted.file = planted.folder / "unused"
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-c", "from fuzzer.cli.main import main; main()"),
                *("replay", "crash db; kill web", "--project", name, "--state", str(planted.state)),
            ],
            cwd=planted.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KNOCKON_TRACEBACK": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        over.set()
        watch.join()
    assert done.returncode == 0, done.stdout + done.stderr
    planted.refuse_secrets(done.stdout + done.stderr, "its output")
    (planted.folder / "compose.yaml").unlink()
    planted.refuse_secrets_in_files()
    assert len(ours) >= 2, "a helper, and an entry of the journal"
    for text in ours.values():
        planted.refuse_secrets(text, "a container of knockon's own")
