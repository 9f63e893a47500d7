from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.compose import ProjectKeys, SafetyKeys, ServiceKeys
from models.compose_loads import LoadKeys
from models.compose_spec import SERVICE_KEYS, TOP_LEVEL_KEYS, project_name
from models.compose_words import printed, sayable
from models.load import Endpoint, Load
from models.target import Safety


def test_a_file_without_keys_gets_the_same_defaults_as_a_target_without_a_file():
    assert LoadKeys(entry="web").load("browse") == Load("browse", (Endpoint("GET /", "web"),))
    assert SafetyKeys().safety() == Safety()


@pytest.mark.parametrize("name", ["checkout", "orders-db", "web.1", "A_b", "7eleven"])
def test_a_scenario_can_say_ordinary_names(name: str):
    assert sayable(name)


@pytest.mark.parametrize("name", ["", "2s", "50rps", "_db", "a b", "a=b", "-x", "a;b", "b\n"])
def test_a_name_that_a_scenario_would_read_as_something_else_is_told(name: str):
    assert not sayable(name)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (8080, "8080"), (1.5, "1.5"), (2.0, "2"), ("a", "a"), (None, None)],
)
def test_numbers_reach_a_container_as_compose_prints_them(value: object, text: object):
    assert printed(value) == text


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8003/health",
        "https://web.example/",
        "http://[::1]:80/x?y=1",
        "http://me:secret@localhost",
    ],
)
def test_health_takes_urls_that_can_be_called(url: str):
    assert ServiceKeys(health=url).health == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "web:80", "ftp://web", "http://", "http://:80", "http://web:99999", "http://web:0", "http://["),
        *("http://a b", "http://web/\n", "http://web/\x00", "file:///etc/passwd"),
    ],
)
def test_health_refuses_urls_that_cannot_be_called(url: str):
    with pytest.raises(ValidationError):
        ServiceKeys(health=url)


def test_a_local_command_may_be_one_text():
    keys = ServiceKeys.model_validate(
        {"local": {"command": "python3 -m 'my shop'", "environment": {"PORT": 80}}}
    )
    assert keys.local is not None
    assert keys.local.local().command == ("python3", "-m", "my shop")
    assert keys.local.local().environment == {"PORT": "80"}


@pytest.mark.parametrize("command", ["", [], [""], "a 'b", ["a\0"], None, 3, [3]])
def test_a_local_command_has_to_run_something(command: object):
    with pytest.raises(ValidationError):
        ServiceKeys.model_validate({"local": {"command": command}})


@pytest.mark.parametrize("limit", ["recovery_s_max", "observe_s", "steady_s"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, "30", True, None])
def test_limits_are_finite_numbers_in_their_bounds(limit: str, number: object):
    with pytest.raises(ValidationError):
        ProjectKeys.model_validate({"limits": {limit: number}})


@pytest.mark.parametrize(
    ("folder", "name"),
    [("shop", "shop"), ("My Shop", "myshop"), ("_x-1.2", "x-12"), ("--", ""), ("ünïcode", "ncode")],
)
def test_a_project_is_named_after_its_folder_as_compose_does(folder: str, name: str):
    assert project_name(folder) == name


def test_the_keys_of_the_specification_are_spelt_as_there():
    assert {"services", "version", "name", "include"} < TOP_LEVEL_KEYS
    assert {"depends_on", "env_file", "healthcheck", "working_dir", "x"} - SERVICE_KEYS == {"x"}
