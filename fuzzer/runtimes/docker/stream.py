"""The engine's events, read in a thread.

The stream is open before ``open`` returns, because the engine repeats only its last 256 events. When
it breaks it is opened again, every container is looked at, and the span between is reported as
blind: what is not known to have happened in it proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from typing import Any

from docker import APIClient
from docker.types.daemon import CancellableStream

from fuzzer.runtimes.docker.clients import TROUBLE, Clients, translated
from fuzzer.runtimes.docker.clock import EngineTime
from fuzzer.runtimes.docker.containers import PROJECT, SERVICE, is_one_off
from fuzzer.runtimes.docker.lives import Event
from models.errors import Inconclusive
from models.observation import Blindness

HEARD = (
    *("die", "start", "pause", "unpause", "kill", "stop", "restart"),
    *("destroy", "rename", "update", "oom"),
)
"""Not ``exec_…``: every health check is one, several events a second."""

RETRY_S = 0.2


class EventStream:
    """Reads the events of a project until it is closed.

    Args:
        clients: connects to the engine.
        project: the compose project.
        engine_time: places the engine's moments on our clock.
        heard: takes each event.
        reopened: called after the stream was opened again, before any new event is read.
        was_blind: takes the span in which nobody listened.
        clock_was_set: takes by how many seconds the engine's clock was set.

    Attributes:
        listening: whether what was heard so far is all there was.
    """

    def __init__(
        self,
        clients: Clients,
        project: str,
        engine_time: EngineTime,
        *,
        heard: Callable[[Event], None],
        reopened: Callable[[], None],
        was_blind: Callable[[Blindness], None],
        clock_was_set: Callable[[float], None],
    ) -> None:
        self._clients = clients
        self._project = project
        self._time = engine_time
        self._heard = heard
        self._reopened = reopened
        self._was_blind = was_blind
        self._clock_was_set = clock_was_set
        self._client: APIClient | None = None
        self._stream: CancellableStream[dict[str, Any]] | None = None
        self._closing = Flag()
        self.listening = False
        self._thread = Thread(target=self._run, name="knockon-docker-events", daemon=True)

    def open(self, since_s: float) -> None:
        """Connect; events from now on wait to be read, after what the engine remembers of earlier ones.

        ``since_s`` is by the engine's wall clock, and in the past: the engine answers a moment before
        it has subscribed us, and only what it is to repeat is surely complete.

        Raises:
            RuntimeUnavailable: the engine does not answer.
        """
        self._client = self._client or self._clients.connect()
        with translated("listen to events"):
            self._stream = self._client.events(
                since=int(since_s),
                filters={"type": "container", "event": list(HEARD), "label": f"{PROJECT}={self._project}"},
                decode=True,
            )

    def start(self) -> None:
        """Start to read."""
        self.listening = True
        self._thread.start()

    def close(self) -> None:
        """Stop reading, and hang up."""
        self._closing.set()
        self._hang_up()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._read()
            finally:
                self.listening = False
            if not self._closing.is_set():
                self._reconnect(lost_s=time.monotonic())

    def _read(self) -> None:
        """Until the stream ends: the SDK hides why."""
        with suppress(*TROUBLE, Inconclusive):
            for data in self._stream or ():
                self._heard(self._event(data))

    def _reconnect(self, lost_s: float) -> None:
        since_s = self._time.engine_now_s()
        while not self._closing.wait(RETRY_S):
            try:
                self._hang_up()
                self.open(since_s)
                self._look_at_clocks()
                self._reopened()
                self.listening = True
            except Inconclusive:
                back = False
            else:
                back = True
            # Told piece by piece: who judges meanwhile has to know as well.
            now_s = time.monotonic()
            self._was_blind(Blindness(lost_s, now_s, "the engine's events were interrupted", deaf=True))
            lost_s = now_s
            if back:
                return

    def _hang_up(self) -> None:
        # An ssh connection cannot be interrupted; its thread is a daemon and ends with the process.
        stream, client, self._stream, self._client = self._stream, self._client, None, None
        with suppress(*TROUBLE, AttributeError):
            if stream:
                stream.close()
        with suppress(*TROUBLE):
            if client:
                client.close()

    def _look_at_clocks(self, engine_s: float | None = None) -> None:
        if step_s := self._time.was_set(engine_s):
            self._clock_was_set(step_s)

    def _event(self, data: dict[str, Any]) -> Event:
        labels: dict[str, str] = data["Actor"]["Attributes"]
        engine_s = data["timeNano"] / 1e9
        self._look_at_clocks(engine_s)
        return Event(
            container=data["Actor"]["ID"],
            name=labels.get("name", ""),
            service=labels.get(SERVICE, ""),
            action=data["Action"],
            engine_s=engine_s,
            at_s=self._time.on_our_clock(engine_s),
            exit_code=int(labels.get("exitCode") or 0),
            one_off=is_one_off(labels),
        )
