"""What goes on beside a scenario, for real: an engine, a server, and what was written there."""

import threading
import time
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fuzzer import traffic as module
from fuzzer.clients import HttpClients
from fuzzer.recorder import Recorder
from fuzzer.traffic import Traffic
from models.expected import Expected
from models.load import Durable, Endpoint, Fate, Load, Phase
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, FakeFleet, target_of


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        id = self.path.removeprefix("/orders/")
        self.server.stored.add(id)
        self.reply(201, b"")

    def do_GET(self):
        id = self.path.removeprefix("/orders/")
        found = id in self.server.stored - self.server.lost
        self.reply(200 if found else 404, id.encode())

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class RealTime:
    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


def test_for_real():
    """An engine, a server that loses one write of those that it acknowledged, and what is left of it."""
    load = Load(
        "buy",
        (
            Endpoint(
                "POST /orders", "checkout", "POST", "/orders/{id}", durable=Durable("db", "/orders/{id}")
            ),
        ),
    )
    target = replace(target_of(*SHOP, published=("checkout", "db"), baseline_s=0.5), loads={"buy": load})
    scenario = Scenario.parse("load buy 40rps 1s")
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        server.daemon_threads = True
        server.stored, server.lost = set(), set()
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        fleet = FakeFleet(target)
        fleet.clock = RealTime()
        fleet.url = lambda service: f"http://127.0.0.1:{server.server_port}"
        recorder = Recorder(target.topology.services, target.limits)
        loads = HttpClients(target, recorder, time.monotonic)

        def history():
            now_s = time.monotonic()
            return recorder.snapshot(Expected(target.topology, 30.0, now_s), now_s)

        traffic = Traffic(scenario, target, fleet, recorder, loads, time.sleep, history)
        recorder.begin(scenario, time.monotonic())
        traffic.before()
        recorder.first_step(time.monotonic())
        step = scenario.steps[0]
        traffic.send(module.ACTIONS[step.action].sends(step, target))
        assert recorder.requests_of("buy") > 20  # the baseline, and its own first answer
        while not loads.quiet:
            time.sleep(0.01)
        server.lost.add(next(iter(server.stored)))
        recorder.settled(time.monotonic(), steady=True)
        traffic.after(time.monotonic())
        traffic.end()
        server.shutdown()
    seen = history()
    assert [run.phase for run in seen.loads] == [Phase.BEFORE, Phase.DURING, Phase.AFTER]
    assert [run.trouble for run in seen.loads] == ["", "", ""]
    assert Counter(seen.phase_of(request) for request in seen.requests) == {
        Phase.BEFORE: 20,
        Phase.DURING: 40,
        Phase.AFTER: 20,
    }
    assert Counter(one.fate for one in seen.read_backs) == {Fate.FOUND: 79, Fate.LOST: 1}
    assert {one.id for one in seen.read_backs if one.fate is Fate.LOST} == server.lost
