"""What every test may use: an engine or a reason, and a free place for the shop's ports."""

from __future__ import annotations

import os

import pytest

from fuzzer.runtimes.docker.clients import Clients
from fuzzer.secrecy import SECRETS
from models.errors import RuntimeUnavailable

pytest_plugins = ["pytester"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests that would notice each other stay together, whatever pytest-xdist was told."""
    from tests.support.sharing import Sharing

    config.option.loadscopereorder = False  # what is collected first takes longest
    return Sharing(config, log)


@pytest.fixture(autouse=True)
def no_secrets_of_others() -> None:
    """What one test reads is no secret in the next."""
    SECRETS.forget()


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers; otherwise the test is skipped, or fails if one is required."""
    try:
        Clients().connect().close()
    except RuntimeUnavailable as error:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER") == "1":
            pytest.fail(f"KNOCKON_REQUIRE_DOCKER=1, and {error}")
        pytest.skip(str(error))
