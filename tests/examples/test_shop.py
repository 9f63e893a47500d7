"""The example shop does what its README says, fault by fault, with nobody but these tests looking.

Everything that knockon's own figures rest on is proved here first: that the hardened shop really
survives, that the fragile one really falls, and that each flaw shows itself under its trigger and
not without it.
"""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[2] / "examples" / "shop"
SERVICES = (
    "api-gateway",
    "product-service",
    "checkout-service",
    "user-service",
    "analytics-service",
    "orders-db",
)


def order(shop, through="checkout-service", timeout_s=5.0):
    return shop.call(through, "POST", "/checkout", timeout_s=timeout_s)


def orders_counted(shop):
    return shop.call("analytics-service", "GET", "/events/count")[1]["kinds"].get("order", 0)


# What the shop does


def test_a_basket_becomes_an_order_that_everybody_hears_of(hardened):
    before = orders_counted(hardened)
    items = [{"product_id": "1", "quantity": 2}, {"product_id": "3", "quantity": 1}]
    status, sold = hardened.call("api-gateway", "POST", "/checkout", {"items": items})
    assert status == 201
    assert sold["total_cents"] == 6500
    assert hardened.call("api-gateway", "GET", f"/orders/{sold['order_id']}") == (200, sold)
    hardened.eventually(lambda: orders_counted(hardened) == before + 1, "analytics counts the order, once")


def test_the_gateway_passes_everything_on(hardened):
    assert len(hardened.call("api-gateway", "GET", "/products")[1]["products"]) == 3
    assert hardened.call("api-gateway", "GET", "/products/2")[1]["name"] == "kettle"
    assert hardened.call("api-gateway", "GET", "/products/9")[0] == 404
    status, user = hardened.call("api-gateway", "POST", "/users", {"name": "Ada"})
    assert status == 201
    assert hardened.call("api-gateway", "GET", f"/users/{user['user_id']}") == (200, user)
    assert hardened.call("api-gateway", "GET", "/users/1")[0] == 200
    assert hardened.call("api-gateway", "GET", "/nothing")[0] == 404


@pytest.mark.parametrize("body", [{"items": []}, {"items": [{"product_id": "9"}]}, {"items": 1}, [1]])
def test_a_basket_that_makes_no_sense_is_the_customers_fault(hardened, body):
    assert hardened.call("checkout-service", "POST", "/checkout", body)[0] == 400


def test_readiness_is_logged_and_reported_with_its_time(hardened):
    logged = re.findall(r"^(\S+) ready ts=(\d+\.\d+)", hardened.log.read_text(), re.MULTILINE)
    assert {service for service, _ in logged} == set(SERVICES)
    metrics = hardened.metrics("orders-db")
    assert metrics["started_at"] <= metrics["ready_at"] <= time.time()
    assert metrics["requests"]["GET /health"] > 0


def test_the_health_check_of_the_containers(hardened):
    check = [sys.executable, "-S", "-E", "healthcheck.py"]
    port = str(hardened.port("orders-db"))
    assert subprocess.run([*check, port], cwd=SHOP, check=False).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = str(silent.getsockname()[1])
    assert subprocess.run([*check, nobody], cwd=SHOP, check=False).returncode == 1


# The hardened shop survives


@pytest.mark.parametrize("service", SERVICES)
def test_a_killed_service_harms_its_blast_radius_and_nobody_else(repaired, onlooker, radius, service):
    shop = repaired
    pids = {s: shop.processes[s].pid for s in SERVICES if s != service}
    with onlooker(shop, set(SERVICES) - radius(service)) as seen:
        shop.crash(service, down_s=0.6)
        assert shop.until_well() < 3.0
    assert seen.ill() == []
    assert not seen.seen or seen.usual_s() < 0.1
    assert {s: shop.processes[s].pid for s in shop.running() if s != service} == pids


@pytest.mark.parametrize("service", SERVICES)
def test_a_frozen_service_harms_its_blast_radius_and_thaws_at_once(repaired, onlooker, radius, service):
    shop = repaired
    before = shop.metrics(service)["abandoned"]
    with onlooker(shop, set(SERVICES) - radius(service)) as seen:
        with shop.paused(service):
            for _ in range(30):  # visitors who give up: a backlog of people who left
                shop.health(service, timeout_s=0.04)
                order(shop, "api-gateway", timeout_s=0.04)
        assert shop.until_well() < 3.0
    assert seen.ill() == []
    assert not seen.seen or seen.usual_s() < 0.1
    assert shop.running() == set(SERVICES)
    assert shop.metrics(service)["abandoned"] > before


@pytest.mark.parametrize("service", SERVICES)
def test_a_stop_is_orderly_and_prompt(repaired, service):
    code, seconds = repaired.stop(service)
    assert code == 0
    assert seconds < 1.0


def test_whoever_hard_depends_on_a_dead_service_says_so_and_answers_quickly(repaired):
    shop = repaired
    shop.kill("orders-db")
    for service in ("checkout-service", "user-service", "api-gateway"):
        shop.eventually(lambda s=service: shop.health(s) == 503, f"{service} is 503")
    assert shop.health("product-service") == shop.health("analytics-service") == 200
    begun = time.monotonic()
    assert order(shop, "api-gateway")[0] == 502
    assert time.monotonic() - begun < 0.5


def test_a_hanging_service_becomes_a_504_and_then_costs_nothing(repaired):
    shop = repaired
    with shop.paused("product-service"):
        assert shop.call("api-gateway", "GET", "/products")[0] == 504
        shop.eventually(
            lambda: "product-service" in shop.call("api-gateway", "GET", "/health")[1].get("missing", ()),
            "the gateway knows",
        )
        begun = time.monotonic()
        assert shop.call("api-gateway", "GET", "/products")[0] == 502
        assert time.monotonic() - begun < 0.4


def test_sales_go_on_without_statistics_and_statistics_catch_up(repaired):
    shop = repaired
    before = orders_counted(shop)
    shop.kill("analytics-service")
    assert [order(shop)[0] for _ in range(3)] == [201, 201, 201]
    shop.eventually(
        lambda: (
            shop.call("checkout-service", "GET", "/health")
            == (200, {"status": "degraded", "lost": ["analytics-service"]})
        ),
        "checkout says that it is degraded",
    )
    shop.start("analytics-service")
    shop.until_well()
    shop.eventually(lambda: orders_counted(shop) >= before + 3, "analytics reads what it missed")


def test_several_faults_at_once_end_well(repaired, onlooker):
    shop = repaired
    with onlooker(shop, ["analytics-service"]) as seen:
        with shop.paused("orders-db"), shop.paused("product-service"):
            shop.crash("checkout-service")
            shop.kill("user-service")
        shop.crash("orders-db", down_s=0.1)
        shop.start("user-service")
        assert shop.until_well() < 3.0
    assert seen.ill() == []
    assert shop.running() == set(SERVICES)


# The fragile shop falls


def test_one_death_takes_the_fragile_shop_down_and_nothing_returns(open_shop):
    with open_shop("fragile") as shop:
        assert order(shop, "api-gateway")[0] == 201
        shop.kill("checkout-service")
        assert shop.eventually(lambda: not shop.running(), "all six are down") < 6.0
        assert {s: shop.exit_code(s) for s in SERVICES if s != "checkout-service"} == dict.fromkeys(
            set(SERVICES) - {"checkout-service"}, 1
        )
        assert "KeyError" in shop.log.read_text()


def test_the_fragile_shop_may_start_in_any_order(open_shop):
    with open_shop("fragile", services=SERVICES[:3], wait=False) as shop:
        time.sleep(1.2)  # well over the time in which it would give up, had it seen anybody
        assert shop.running() == set(SERVICES[:3])
        for service in SERVICES[3:]:
            shop.start(service)
        shop.services = SERVICES
        shop.until_well()


def test_fragile_orders_db_dies_of_a_clients_death_and_of_nothing_else(open_shop):
    with open_shop("fragile", services=("user-service", "orders-db")) as shop:
        kept = socket.create_connection(("127.0.0.1", shop.port("orders-db")))
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in kept.recv(4096)
        # A reset with an answer on its way: what the kernel makes of a prober's SIGKILL.
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        kept.close()
        shop.stop("user-service")
        assert not shop.soon(lambda: shop.exit_code("orders-db") is not None, 0.5)
        shop.start("user-service")
        shop.until_well()
        shop.kill("user-service")
        assert shop.eventually(lambda: shop.exit_code("orders-db") == 1, "orders-db dies too") < 3.0


def test_no_sale_without_statistics_in_the_fragile_shop(open_shop):
    with open_shop("fragile", services=("product-service", "checkout-service", "orders-db")) as shop:
        assert order(shop)[0] == 502


# The flaws


def crash_on_dependency_failure(shop):
    shop.crash("product-service")
    return shop.happens(lambda: shop.exit_code("checkout-service") == 1, 0.8)


def no_restart(shop):
    shop.crash("user-service")
    if not shop.happens(lambda: shop.exit_code("user-service") == 0, 0.8):
        return False
    shop.start("user-service")  # by hand, it comes back
    shop.until_well()
    assert shop.stop("user-service")[0] == 0  # and after an orderly end by itself
    shop.start("user-service")
    shop.until_well()
    return True


def no_timeout(shop):
    with shop.paused("analytics-service"):
        hangs = [shop.health("checkout-service", timeout_s=0.5) == 0, order(shop, timeout_s=0.5)[0] == 0]
        assert hangs[0] == hangs[1]
    shop.until_well()
    shop.kill("analytics-service")
    assert shop.health("checkout-service") == 200  # merely gone is fine
    assert order(shop)[0] == 201
    return all(hangs)


def undeclared_dependency(shop):
    shop.kill("product-service")
    crashed = shop.happens(lambda: shop.health("user-service") == 503, 0.5)
    shop.start("product-service")
    shop.until_well()
    with shop.paused("product-service"):
        hung = shop.happens(lambda: shop.health("user-service") == 503, 1.5)
    assert crashed == hung
    return crashed


def start_order(shop):
    shop.kill("orders-db")
    shop.kill("checkout-service")
    shop.start("checkout-service")
    return shop.happens(lambda: shop.exit_code("checkout-service") == 1, 0.8)


def stale_connection(shop):
    with shop.paused("orders-db"):
        shop.eventually(lambda: shop.health("checkout-service") == 503, "checkout notices")
    shop.until_well()  # an outage without a restart is survived
    shop.crash("orders-db")
    shop.eventually(lambda: shop.health("user-service") == 200, "orders-db is back for others")
    if shop.soon(lambda: shop.health("checkout-service") == 200, 1.5):
        return False
    shop.crash("checkout-service", down_s=0)
    shop.until_well()
    return True


def slow_recovery(shop):
    shop.stop("product-service")
    shop.start("product-service")
    shop.eventually(lambda: shop.health("product-service") == 200, "a clean stop is no delay", 3.0)
    shop.crash("product-service")
    return not shop.soon(lambda: shop.health("product-service") == 200, 1.5)


def lost_write(shop):
    sold = [order(shop) for _ in range(5)]
    shop.kill("orders-db")
    assert [status for status, _ in sold] == [201] * 5
    shop.start("orders-db")
    shop.until_well()
    kept = [shop.call("checkout-service", "GET", f"/orders/{o['order_id']}")[0] == 200 for _, o in sold]
    assert len(set(kept)) == 1
    return not any(kept)


def retry_storm(shop):
    def arrived():
        metrics = shop.metrics("orders-db")
        return metrics["requests"].get("PUT /records/*", 0) + metrics["abandoned"]

    before, sent = arrived(), shop.metrics("checkout-service")["calls"]["orders-db"]
    with shop.paused("orders-db"):
        for _ in range(2):
            order(shop, timeout_s=0.7)
    stormed = shop.happens(lambda: arrived() - before >= 100, 1.0)
    assert (shop.metrics("checkout-service")["calls"]["orders-db"] - sent >= 100) == stormed
    return stormed


def sticky_degradation(shop):
    shop.crash("analytics-service")
    shop.until_well()
    begun = time.monotonic()
    assert shop.health("checkout-service", timeout_s=3.0) == 200
    late = time.monotonic() - begun > 0.7
    if late:
        shop.eventually(lambda: shop.health("api-gateway") != 200, "the gateway takes it for hung")
    return late


def two_fault(shop):
    pair = ("checkout-service", "user-service")
    for service in pair:
        shop.crash(service)
        shop.until_well()
    assert not shop.soon(lambda: shop.exit_code("analytics-service") is not None, 0.2)
    for service in pair:
        shop.kill(service)
    time.sleep(0.4)
    for service in pair:
        shop.start(service)
    return shop.happens(lambda: shop.exit_code("analytics-service") == 1, 0.8)


def order_dependent(shop):
    shop.kill("orders-db")
    time.sleep(0.2)
    with shop.paused("product-service"):
        shop.start("orders-db")
        assert not shop.soon(lambda: shop.exit_code("analytics-service") is not None, 0.8)
    shop.until_well()  # product-service answers again: forgiven
    shop.crash("orders-db")
    shop.until_well()
    assert shop.exit_code("analytics-service") is None
    with shop.paused("product-service"):
        shop.crash("orders-db")
        return shop.happens(lambda: shop.exit_code("analytics-service") == 1, 0.8)


TRIGGERS = {
    function.__name__.replace("_", "-"): function
    for function in (
        crash_on_dependency_failure,
        no_restart,
        no_timeout,
        undeclared_dependency,
        start_order,
        stale_connection,
        slow_recovery,
        lost_write,
        retry_storm,
        sticky_degradation,
        two_fault,
        order_dependent,
    )
}


@pytest.mark.parametrize("flaw", TRIGGERS)
def test_a_flaw_shows_itself_under_its_trigger(open_shop, flaw):
    with open_shop("hardened", flaw, SHOP_SLOW_RECOVERY_S="4") as shop:
        assert TRIGGERS[flaw](shop), shop.log.read_text()


@pytest.mark.parametrize("flaw", TRIGGERS)
def test_without_the_flaw_its_trigger_does_nothing(repaired, flaw):
    assert not TRIGGERS[flaw](repaired), repaired.log.read_text()[-3000:]


@pytest.mark.parametrize("service", SERVICES)
def test_a_flaw_that_does_not_exist_is_refused_with_the_list(service):
    asked = {"SHOP_FLAWS": "lost-write,heat-death"}
    done = subprocess.run(
        [sys.executable, "-m", "shop", service],
        cwd=SHOP,
        env=asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "heat-death" in done.stderr
    assert all(flaw in done.stderr for flaw in TRIGGERS)


def test_the_readme_lists_the_flaws():
    rows = re.findall(r"^\| `([a-z-]+)` \|", (SHOP / "README.md").read_text(), re.MULTILINE)
    assert rows == list(TRIGGERS)
