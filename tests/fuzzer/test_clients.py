"""Engines are tried in loads/; here is that counters are watched for as long as anything is sent."""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fuzzer.clients import HttpClients
from fuzzer.recorder import Recorder
from models.expected import Expected
from models.scenario import Scenario
from models.target import Counters
from tests.support.fake_fleet import SHOP, target_of


class Telling(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.calls += 1
        body = json.dumps({"calls": {"db": self.server.calls}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_counters_are_watched_until_all_is_stopped():
    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as server:
        server.daemon_threads, server.calls = True, 0
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        target = target_of(*SHOP)
        told = Counters(f"http://127.0.0.1:{server.server_port}")
        services = {**target.services, "checkout": replace(target.services["checkout"], counters=told)}
        target = replace(target, services=services)
        recorder = Recorder(target.topology.services, target.limits)
        recorder.begin(Scenario.parse("wait 1s"), time.monotonic())
        clients = HttpClients(target, recorder, time.monotonic)

        def counted():
            return recorder.snapshot(Expected(target.topology, 30.0), time.monotonic()).calls

        clients.count_calls()
        deadline_s = time.monotonic() + 20
        while len(counted()) < 3 and time.monotonic() < deadline_s:
            time.sleep(0.02)
        clients.stop()
        clients.stop()
        asked, seen = server.calls, counted()
        assert len(seen) >= 3
        assert {(one.caller, one.dependency) for one in seen} == {("checkout", "db")}
        time.sleep(0.5)
        assert server.calls == asked, "nobody asks any more"
        server.shutdown()
