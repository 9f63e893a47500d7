"""A local service has to find its neighbours by the same settings as in containers."""

import pytest

from fuzzer.runtimes.local.environment import host_environment, published, service_environment
from fuzzer.wiring import rewrite
from models.target import LocalCommand, Port, Service, Target
from models.topology import Topology

SERVICES = {
    one.name: one
    for one in (
        Service("product-service", ports=(Port(8002, 8302),)),
        Service("db", ports=(Port(5432, 15432),)),
        Service("db-replica", ports=(Port(5432, 25432),)),
        Service("web", ports=(Port(80, 8080), Port(9000, 9001))),
        Service("queue", ports=(Port(5672, None),)),
        Service("hidden"),
        Service("odd.name", ports=(Port(1, 10001),)),
    )
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://product-service:8002", "http://127.0.0.1:8302"),
        ("http://product-service:8002/path?x=1#y", "http://127.0.0.1:8302/path?x=1#y"),
        ("product-service:8002", "127.0.0.1:8302"),
        ("http://product-service", "http://127.0.0.1:8302"),  # the only one that is published
        ("http://web", "http://127.0.0.1:8080"),  # the scheme's
        ("http://web/a", "http://127.0.0.1:8080/a"),
        ("HTTP://web", "HTTP://127.0.0.1:8080"),
        ("http://Product-Service/x", "http://127.0.0.1:8302/x"),
        ("ftp://web/", "ftp://127.0.0.1/"),  # several, and none is known to be meant
        ("web:9000", "127.0.0.1:9001"),
        ("postgres://me:s3cret@db:5432/orders", "postgres://me:s3cret@127.0.0.1:15432/orders"),
        ("postgresql+asyncpg://me:pw@db/orders", "postgresql+asyncpg://me:pw@127.0.0.1:15432/orders"),
        ("jdbc:postgresql://db:5432/orders", "jdbc:postgresql://127.0.0.1:15432/orders"),
        ("me:pw@tcp(db:5432)/orders", "me:pw@tcp(127.0.0.1:15432)/orders"),
        ("db:5432,db-replica:5432", "127.0.0.1:15432,127.0.0.1:25432"),
        (
            "mongodb://u:p@db:5432,db-replica:5432/x?w=1",
            "mongodb://u:p@127.0.0.1:15432,127.0.0.1:25432/x?w=1",
        ),
        (
            "amqp://u:p@db:5432,amqp://u:p@db-replica:5432",
            "amqp://u:p@127.0.0.1:15432,amqp://u:p@127.0.0.1:25432",
        ),
        ("http://db, http://db-replica", "http://127.0.0.1:15432, http://127.0.0.1:25432"),
        ('["http://db:5432", "db-replica:5432"]', '["http://127.0.0.1:15432", "127.0.0.1:25432"]'),
        ("host=db:5432;user=x", "host=127.0.0.1:15432;user=x"),
        ("odd.name:1", "127.0.0.1:10001"),
        ("queue:5672", "127.0.0.1:5672"),  # published where the engine likes
        ("hidden:7000", "127.0.0.1:7000"),
        ("http://hidden/x", "http://127.0.0.1/x"),
        # Not addresses of a service:
        ("product-service", "product-service"),
        ("db", "db"),
        ("", ""),
        ("http://example.com:8002", "http://example.com:8002"),
        ("http://product-service.example.com/", "http://product-service.example.com/"),
        ("http://product-service.example.com:8002/", "http://product-service.example.com:8002/"),
        ("my-db:5432", "my-db:5432"),
        ("db:5432.5", "db:5432.5"),
        ("db:latest", "db:latest"),
        ("registry/db:16", "registry/db:16"),
        ("http://db:1234@example.com/", "http://db:1234@example.com/"),  # a user and a password
        ("http://example.com/db/x", "http://example.com/db/x"),
        ("oddxname:1", "oddxname:1"),
    ],
)
def test_addresses_of_services_become_published_ones(value, expected):
    assert rewrite(value, SERVICES, published(SERVICES)) == expected


def test_without_services_nothing_is_rewritten():
    assert rewrite("db:5432", {}, published({})) == "db:5432"


def test_later_sources_win(tmp_path):
    services = {
        "db": SERVICES["db"],
        "web": Service(
            "web",
            environment={"DB": "db:5432", "PORT": "80", "KNOCKON_DATA_DIR": "/no", "HOME": "/app"},
            local=LocalCommand(("x",), {"PORT": "8301", "PEER": "db:5432"}),
        ),
    }
    target = Target("x", tmp_path, services, Topology(("web", "db")))
    host = {"PATH": "/bin", "HOME": "/root", "SECRET": "x", "PYTHONPATH": "/x", "LC_ALL": "C"}
    assert service_environment(target, "web", host, tmp_path / "data") == {
        "PATH": "/bin",
        "HOME": "/app",
        "LC_ALL": "C",
        "DB": "127.0.0.1:15432",
        "PORT": "8301",
        "PEER": "db:5432",  # what is meant for the process is left as it is written
        "KNOCKON_DATA_DIR": str(tmp_path / "data"),
    }


def test_a_process_gets_little_of_this_machine():
    assert host_environment({"AWS_SECRET": "x", "VIRTUAL_ENV": "/v", "LANG": "C"}) == {"LANG": "C"}
