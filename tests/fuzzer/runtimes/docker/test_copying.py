"""What of a container a further replica takes over; the real thing stands in tests/conformance."""

from __future__ import annotations

import pytest

from fuzzer.runtimes.docker.containers import NUMBER
from fuzzer.runtimes.docker.copying import copy_of
from models.errors import StepInvalid

ID = "0123456789abcdef" * 4
SHARED = {"Aliases": ["web", "shop_web_2", ID[:12]], "IPAMConfig": None}


def container(**changes):
    """What the engine says of ``shop_web_2``, with some of it changed: ``host`` and ``config`` in parts."""
    config = {
        "Hostname": ID[:12],
        "Image": "web:latest",
        "Env": ["A=1"],
        "Cmd": ["run"],
        "Labels": {NUMBER: "2", "kept": "yes"},
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    host = {
        "NetworkMode": "shop_default",
        "Binds": ["data:/data:rw"],
        "PortBindings": {"80/tcp": [{"HostPort": ""}]},
    }
    return {
        "Id": ID,
        "Name": changes.get("name", "/shop_web_2"),
        "Image": "sha256:1",
        "Config": {**config, **changes.get("config", {})},
        "HostConfig": {**host, **changes.get("host", {})},
        "NetworkSettings": {"Networks": changes.get("networks", {"shop_default": SHARED})},
    }


def test_all_is_taken_over_but_what_one_alone_can_have():
    copy = copy_of(container(), 5, {"mine": "x"})
    assert copy.name == "shop_web_5"
    assert copy.config["Image"] == "sha256:1", "the tag may mean another one by now"
    assert (copy.config["Env"], copy.config["Cmd"]) == (["A=1"], ["run"])
    assert copy.config["Healthcheck"] == {"Test": ["CMD", "true"]}
    assert copy.config["HostConfig"]["Binds"] == ["data:/data:rw"]
    assert copy.config["Labels"] == {NUMBER: "5", "kept": "yes", "mine": "x"}
    assert "Hostname" not in copy.config
    ends = copy.config["NetworkingConfig"]["EndpointsConfig"]
    assert ends == {"shop_default": {"Aliases": ["web"]}}
    assert copy.networks == {}


def test_what_is_copied_stays_as_it_was():
    data = container()
    copy_of(data, 5, {"mine": "x"})
    assert data == container()


def test_a_host_name_that_somebody_chose_is_kept():
    assert copy_of(container(config={"Hostname": "web"}), 3, {}).config["Hostname"] == "web"


def test_further_networks_are_attached_by_the_names_they_have_there():
    other = {"Aliases": ["www", ID[:12]], "IPAMConfig": {}}
    copy = copy_of(container(networks={"back": other, "shop_default": SHARED}), 3, {})
    assert list(copy.config["NetworkingConfig"]["EndpointsConfig"]) == ["shop_default"]
    assert copy.networks == {"back": ["www"]}


@pytest.mark.parametrize(
    ("name", "number", "named"),
    [
        ("/shop_web_2", 3, "shop_web_3"),
        ("/shop-web-2", 12, "shop-web-12"),
        ("/web2", 3, "web2-3"),
        ("/web", 3, "web-3"),
    ],
)
def test_its_name_has_its_number(name, number, named):
    assert copy_of(container(name=name), number, {}).name == named


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"host": {"PortBindings": {"80/tcp": [{"HostPort": "8003"}]}}},
            "its port 80/tcp is published at 8003",
        ),
        ({"host": {"NetworkMode": "host"}}, "its network is host"),
        ({"host": {"NetworkMode": "container:abc"}}, "its network is container:abc"),
        ({"networks": {"n": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}}}}, "its address in n is fixed"),
        ({"config": {"Healthcheck": None}}, "expected a health check of its container"),
        (
            {"config": {"Healthcheck": {"Test": ["NONE"]}}},
            "nobody could tell when a second shop_web_2 is ready",
        ),
    ],
)
def test_what_cannot_be_there_twice_is_refused_with_the_reason(changes, told):
    with pytest.raises(StepInvalid) as refused:
        copy_of(container(**changes), 3, {})
    assert told in str(refused.value)


@pytest.mark.parametrize("port", ["", "0", "8001-8003"])
def test_a_port_that_the_engine_chooses_is_no_hindrance(port):
    copy_of(container(host={"PortBindings": {"80/tcp": [{"HostPort": port}]}}), 3, {})
