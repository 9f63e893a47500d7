"""The override that puts proxies on connections, as text, and that it changes nothing but the way."""

import json

import pytest
import yaml

from fuzzer.override import SERVICE, Override
from fuzzer.runtimes.local.environment import service_environment
from fuzzer.targets.files import load_target
from models.errors import RequestError, TargetError
from models.proxied import from_text

SHOP = """\
name: wired
version: "3.8"
x-knockon: {enabled: true}
services:
  web:
    image: x
    depends_on: [api]
    environment:
      API_URL: http://api:8000/v1
      BROKERS: queue:9092,other.example:9092
      PEERS: "api=http://api:7000"
      NAME: api
    x-knockon: {direct: [PEERS]}
  api:
    image: x
    environment: ["DATABASE_URL=postgres://me:pa$$word@db:5432/shop"]
    networks: {back: }
  db: {image: x, networks: [back, store]}
  queue: {image: x, x-knockon: {enabled: false}}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text(SHOP)
    return path


@pytest.fixture
def printed(knockon, file):
    result = knockon("wire", "--target", str(file))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def services(printed):
    return yaml.safe_load(printed)["services"]


def test_callers_are_led_to_the_proxies_and_nothing_else_changes(services):
    assert services["web"]["environment"] == {"API_URL": "http://knockon-edges:20001/v1"}
    database = "postgres://me:pa$$word@knockon-edges:20002/shop"
    assert services["api"]["environment"] == {"DATABASE_URL": database}
    assert set(services) == {SERVICE, "web", "api"}, "who calls nobody, or is not opted in, stays as it is"
    assert services["web"]["depends_on"] == [SERVICE]


def test_there_is_a_proxy_for_each_connection(services):
    proxies = json.loads(services[SERVICE]["labels"]["knockon.wires"])
    assert [(one["name"], one["listen"], one["upstream"]) for one in proxies] == [
        ("web--api--8000", "0.0.0.0:20001", "api:8000"),
        ("api--db--5432", "0.0.0.0:20002", "db:5432"),
    ]
    assert json.loads(services[SERVICE]["command"][-1]) == proxies
    ports = ["127.0.0.1::8474", "127.0.0.1::20001", "127.0.0.1::20002"]
    assert services[SERVICE]["ports"] == ports, (
        "published, so that knockon can look, and on this machine only"
    )


def test_the_proxies_share_a_network_with_every_end(services):
    assert services[SERVICE]["networks"] == ["default", "back", "store"]


def test_it_says_how_it_is_used(printed, file):
    top = printed.partition("services:")[0]
    assert f"knockon wire --target {file} > edges.yaml" in top
    assert f"docker-compose -f {file} -f edges.yaml up -d" in top
    assert f"knockon fuzz --target {file}" in top
    assert yaml.safe_load(printed)["version"] == "3.8", "Compose 1 refuses files of different versions"


def test_a_real_toxiproxy_gets_its_list_from_a_file(knockon, file):
    result = knockon("wire", "--target", str(file), "--image", "ghcr.io/shopify/toxiproxy:2.9.0")
    service = yaml.safe_load(result.stdout)["services"][SERVICE]
    written = file.parent / "knockon-edges.json"
    assert service["volumes"][0]["source"] == str(written)
    assert json.loads(written.read_text()) == json.loads(service["labels"]["knockon.wires"])
    assert service["command"][-1] == f"-config={service['volumes'][0]['target']}"


def test_with_the_override_it_is_still_the_same_fleet(file, printed):
    override = file.parent / "edges.yaml"
    override.write_text(printed)
    plain, wired = load_target([file], {}), load_target([file, override], {})
    assert wired.services == plain.services
    assert wired.topology == plain.topology
    assert wired.wires == plain.wires
    assert wired.notes == plain.notes
    assert Override(wired).proxied == Override(plain).proxied, "it can be written again from itself"


def test_a_label_that_was_changed_by_hand_is_pointed_out(file, printed):
    override = file.parent / "edges.yaml"
    override.write_text(printed.replace('"upstream": "api:8000"', '"upstream": "api:"'))
    with pytest.raises(TargetError, match=r"labels\.knockon\.wires.*knockon wire"):
        load_target([file, override], {})


def test_locally_a_direct_variable_leads_past_the_proxies(file, tmp_path):
    target = load_target([file], {})
    proxies = {("web", "api", 7000): "127.0.0.1:1", ("web", "api", 8000): "127.0.0.1:2"}
    environment = service_environment(target, "web", {}, tmp_path, proxies)
    assert environment["PEERS"] == "api=http://127.0.0.1:7000"
    assert environment["API_URL"] == "http://127.0.0.1:2/v1"


def test_without_a_connection_there_is_nothing_to_print(knockon, tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text("name: a\nx-knockon: {enabled: true}\nservices: {web: {image: x}}\n")
    result = knockon("wire", "--target", str(path))
    assert result.exit_code == 2
    assert "no connection to put a proxy on" in result.output


def test_a_service_of_that_name_is_not_replaced(file):
    file.write_text(SHOP + f"  {SERVICE}: {{image: x}}\n")
    with pytest.raises(RequestError, match="called knockon-edges already"):
        Override(load_target([file], {}))


def test_names_with_dashes_are_told_apart():
    text = '[{"name": "a--b--c--80", "listen": "0.0.0.0:20001", "upstream": "b--c:80", "scheme": ""}]'
    (one,) = from_text(text)
    assert one.wire.edge == ("a", "b--c")
