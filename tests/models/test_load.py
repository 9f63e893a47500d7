import pytest

from models.load import LATE_MS, Durable, Endpoint, Load, Request


def request(**what):
    return Request(**{"load": "orders", "endpoint": "GET /", "intended_s": 10.0, "latency_ms": 250.0, **what})


@pytest.mark.parametrize("status", [200, 204, 302, 404, 409, 429])
def test_an_answer_is_good_also_if_it_blames_the_client(status):
    assert request(status=status).good


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_servers_error_is_bad(status):
    assert not request(status=status).good
    assert request(status=status).kind == f"HTTP {status}"


@pytest.mark.parametrize(("status", "error"), [(None, "timeout"), (200, "wrong-body"), (200, "reset")])
def test_half_an_answer_or_a_wrong_one_or_none_is_bad(status, error):
    assert not request(status=status, error=error).good
    assert request(status=status, error=error).kind == error


def test_a_good_answer_is_told_as_ok():
    assert request(status=200).kind == "ok"


def test_a_request_ends_so_long_after_it_was_due():
    assert request(status=200).ended_s == 10.25


@pytest.mark.parametrize(
    ("what", "late"),
    [
        ({"lag_ms": LATE_MS}, False),
        ({"lag_ms": LATE_MS + 1}, True),
        ({"lag_ms": 40.0, "error": "unsent"}, True),
    ],
)
def test_late_is_what_the_engine_itself_sent_late_or_not_at_all(what, late):
    assert request(status=None, **what).late is late


def test_a_load_asks_every_service_that_is_entered_or_read_back_once():
    orders = Endpoint("POST /orders", "gateway", durable=Durable("orders", "/orders/{id}"))
    load = Load("mixed", (orders, Endpoint("GET /", "gateway"), Endpoint("GET /items", "items")))
    assert load.services == ("gateway", "items", "orders")
