"""Which connections a link may harm, with real proxies."""

import pytest

from fuzzer.edges.client import ProxySpec
from fuzzer.edges.process import EdgeProcess
from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.links import Links
from models.errors import StepInvalid
from models.toxic import Toxic
from models.wire import Wire

MINE, PROTECTED = Wire("web", "db", 80), Wire("billing", "db", 80)


@pytest.fixture
def client():
    with EdgeProcess([], seed=7) as process:
        process.client.populate([ProxySpec(w.name, "127.0.0.1:0", "127.0.0.1:9") for w in (MINE, PROTECTED)])
        yield process.client


def test_a_proxy_on_a_connection_that_faults_may_not_touch_stays_whole_and_is_cleansed_all_the_same(client):
    """It may have been put there before somebody was protected."""
    wires = dict.fromkeys((MINE, PROTECTED), ("127.0.0.1", 1))
    links = Links(client, wires, {}, harmable=[MINE.edge])
    links.poison("* -> db", [Toxic("latency", {"latency": 100.0})])
    assert client.toxics(MINE.name)
    assert client.toxics(PROTECTED.name) == ()
    with pytest.raises(StepInvalid, match="no proxy stands on any connection of it that faults may touch"):
        links.poison("billing -> db", [Toxic("latency", {"latency": 100.0})])

    client.add_toxic(PROTECTED.name, Toxic("loss"))
    links.cleanse(Undo("cleanse", ("* -> db",)))
    assert client.toxics(MINE.name) == client.toxics(PROTECTED.name) == ()
