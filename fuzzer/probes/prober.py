"""Asks every service again and again, and tells a sink what it heard and when.

One thread a service, so that one that hangs delays nobody else. A healthy service is asked every
``interval_s``; an unhealthy one every ``fast_interval_s``, because the moment of its recovery is what
is measured. While the runtime knows that there is no process, no request is sent at all: it could
only be refused, and asking a container that is down from outside delays its first answer by up to a
second (an address that nobody answers for is asked for again only then).

Beside them a heartbeat measures how late the fuzzer's own threads are. A probe that was answered in
time but read too late looks exactly like a hang; whoever judges has to know that nobody looked. It also
looks whether the machine is too crowded for anybody to be in time.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from fuzzer.probes.base import Probe
from fuzzer.probes.crowd import Crowd
from fuzzer.runtimes.base import Clock, Sink
from models.observation import Blindness, Health

HEARTBEAT_S = 0.05
BLIND_S = 0.25
"""A heartbeat that comes later than this was not a matter of ordinary scheduling."""


class Prober:
    """Probes services until stopped.

    Args:
        clock: gives every observation its time.
        sink: hears of every answer and of the fuzzer's own blindness.
        timeout_s: how long one probe may take in all.
        interval_s: from the end of a healthy probe to the next.
        fast_interval_s: from the end of an unhealthy one.
        crowd: tells when the machine is too busy; None for this machine as it is.
    """

    def __init__(
        self,
        clock: Clock,
        sink: Sink,
        timeout_s: float,
        interval_s: float = 0.1,
        fast_interval_s: float = 0.02,
        crowd: Crowd | None = None,
    ) -> None:
        self._clock = clock
        self._sink = sink
        self._timeout_s = timeout_s
        self._interval_s = interval_s
        self._fast_interval_s = fast_interval_s
        self._crowd = crowd or Crowd()
        self._rounds: dict[str, _Round] = {}
        self._heart = Thread(target=self._beat, name="heartbeat", daemon=True)
        self._stopping = Event()
        self._started = False

    def add(self, service: str, probe: Probe, not_running: Callable[[], str]) -> None:
        """Probe a service; at once, if the prober is started.

        ``not_running`` returns ``""`` while the runtime knows a process to run, else a short reason.
        It is called from the service's own thread, before every probe.
        """
        self._rounds[service] = _Round(probe, not_running, Event())
        if self._started:
            self._launch(service)

    def wake(self, service: str) -> None:
        """Something happened to this service: probe it at once."""
        if service in self._rounds:
            self._rounds[service].woken.set()

    def start(self) -> None:
        """Begin to probe."""
        self._started = True
        self._heart.start()
        for service in self._rounds:
            self._launch(service)

    def stop(self) -> None:
        """End all probing, also what is under way; the sink hears nothing afterwards. Idempotent."""
        self._stopping.set()
        for its in self._rounds.values():
            its.woken.set()
            its.probe.close()
        for its in self._rounds.values():
            if its.thread:
                its.thread.join()
        if self._started:
            self._heart.join()

    def _launch(self, service: str) -> None:
        its = self._rounds[service]
        its.thread = Thread(target=self._probe, args=(service, its), name=f"probe {service}", daemon=True)
        its.thread.start()

    def _probe(self, service: str, its: _Round) -> None:
        while not self._stopping.is_set():
            its.woken.clear()  # before looking: what happens from here on is worth another look
            at_s = self._clock.now()
            healthy, detail = self._ask(its)
            ended_s = self._clock.now()
            if self._stopping.is_set():
                return
            self._sink.saw_health(Health(service, at_s, ended_s, healthy, detail))
            its.woken.wait(self._interval_s if healthy else self._fast_interval_s)

    def _ask(self, its: _Round) -> tuple[bool, str]:
        reason = its.not_running()
        return (False, reason) if reason else its.probe.check(self._timeout_s)

    def _beat(self) -> None:
        due_s = self._clock.now() + HEARTBEAT_S
        while not self._stopping.wait(HEARTBEAT_S):
            now_s = self._clock.now()
            if now_s - due_s > BLIND_S:
                reason = f"the fuzzer itself was not scheduled for {now_s - due_s:.2f} s"
                self._sink.was_blind(Blindness(due_s, now_s, reason))
            if crowded := self._crowd.look(now_s):
                self._sink.was_blind(crowded)
            due_s = now_s + HEARTBEAT_S


class _Round:
    """One service's thread, and what it needs."""

    def __init__(self, probe: Probe, not_running: Callable[[], str], woken: Event) -> None:
        self.probe = probe
        self.not_running = not_running
        self.woken = woken
        self.thread: Thread | None = None
