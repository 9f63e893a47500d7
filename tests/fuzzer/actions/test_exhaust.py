"""Connections that are held open, on a fleet in memory; real ones are met in tests/fuzzer/runtimes."""

from models.history import StepState
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of
from tests.support.rig import rig


class Crowded(FakeFleet):
    """Can be crowded. A service that is dead to orders ends every connection at once."""

    crowd = 0

    def hold(self, service, count):
        if self._order("hold", [service]):
            self.crowd = count

    def held(self, service):
        return self.crowd

    def undo(self, undo):
        if undo.verb == "release":
            self._order("release", undo.targets)
            self.crowd = 0
        else:
            super().undo(undo)


def crowded():
    return rig(target=target_of(*SHOP, published=["db"]), kind=Crowded)


def test_it_is_held_and_let_go():
    run = crowded()
    played = run.play("exhaust db connections=50; wait 1s")
    assert played.outcome is Outcome.HOLDS, played.reason
    assert run.fleet.calls == ["hold db", "release db"]
    assert run.fleet.crowd == 0


def test_nobody_who_takes_no_connection_is_exhausted():
    run = crowded()
    run.fleet.dead_to_orders.add("db")
    played = run.play("exhaust db connections=50")
    assert played.outcome is Outcome.UNKNOWN
    assert "db ended every connection that was held" in played.reason
    assert played.history.steps[0].state is StepState.INVALID
