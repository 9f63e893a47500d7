"""What one service says about itself: restart policy, health, labels, profiles."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from fuzzer.targets.base import Place, nearest
from fuzzer.targets.edges import read_conditions
from fuzzer.targets.environment import read_environment
from fuzzer.targets.healthcheck import read_healthcheck
from fuzzer.targets.ports import read_ports
from models.compose import ServiceKeys
from models.compose_nodes import quoted
from models.compose_spec import ENABLE_LABEL, SERVICE_KEYS, SERVICE_NAME
from models.compose_words import sayable
from models.target import HealthCheck, HealthProbe, ProbeKind, Restart, RestartPolicy, Service

_POLICY = re.compile(r"(?P<name>[a-z-]+)(?::(?P<retries>[0-9]{1,9}))?")
_NOTHING = re.compile("0+[a-z]*", re.IGNORECASE)
_DEPLOY_CONDITIONS = {"none": Restart.NO, "on-failure": Restart.ON_FAILURE, "any": Restart.ALWAYS}
_ELSEWHERE = {"extends": "the service written out", "include": "the files given one after the other"}


def read_service(
    name: str,
    place: Place,
    keys: ServiceKeys,
    enabled: bool | None,
    directory: Path,
    variables: Mapping[str, str],
) -> Service:
    """The service of that name from its place in the file and its checked ``x-knockon`` keys.

    ``enabled`` is the file's own opt-in: false overrules everything, None leaves it to each service.
    """
    if not SERVICE_NAME.fullmatch(name) or not sayable(name):
        place.complain(
            "a name of letters, digits, `.`, `_` and `-` that begins with a letter", found=quoted(name)
        )
    place.check_keys(SERVICE_KEYS, "a service")
    refuse_elsewhere(place)
    label = _enable_label(place)
    wanted = next((w for w in (keys.enabled, label, enabled) if w is not None), False)
    check = read_healthcheck(place)
    replicas = _replicas(place)
    return Service(
        name=name,
        restart=read_restart(place),
        health=_health(keys, check),
        ports=read_ports(place),
        environment=read_environment(place, directory, variables),
        local=keys.local.local() if keys.local else None,
        counters=keys.counters.counters() if keys.counters else None,
        role=keys.role.role() if keys.role else None,
        criticality=keys.criticality,
        opted_in=wanted and enabled is not False,
        healthcheck=check,
        starts_after=read_conditions(place),
        direct=tuple(keys.direct),
        memory_limited=_is_memory_limited(place),
        networks=_networks(place),
        disk=keys.disk,
        clock=keys.clock,
        replicas_max=keys.replicas_max,
        model=keys.model if keys.model.replicas else keys.model.model_copy(update={"replicas": replicas}),
    )


def refuse_elsewhere(place: Place) -> None:
    """Complain about keys that take something from other files, which is not followed yet."""
    for key, instead in _ELSEWHERE.items():
        found = place.get(key)
        if found is not None:
            found.complain(f"{instead}: `docker compose config` prints such a file", found=f"`{key}`")


def read_restart(place: Place) -> RestartPolicy:
    """``restart``, or else what ``deploy`` says."""
    restart = place.get("restart")
    if restart is None:
        return _deploy_policy(place)
    policies = [policy.value for policy in Restart]
    text = restart.text(f"one of {', '.join(policies)}")
    if text is None or text == "":
        return RestartPolicy()
    match = _POLICY.fullmatch(text)
    name = match["name"] if match else text
    if match is None or name not in policies:
        restart.complain(f"one of {', '.join(policies)}{nearest(name, policies)}")
    elif match["retries"] is None:
        return RestartPolicy(Restart(name))
    elif name == Restart.ON_FAILURE:
        return RestartPolicy(Restart.ON_FAILURE, int(match["retries"]) or None)
    else:
        restart.complain("a number of retries after on-failure only")
    return RestartPolicy()


def _deploy_policy(place: Place) -> RestartPolicy:
    deploy = place.get("deploy")
    policy = deploy.get("restart_policy") if deploy else None
    if policy is None:
        return RestartPolicy()
    condition, attempts = policy.get("condition"), policy.get("max_attempts")
    text = condition.text(f"one of {', '.join(_DEPLOY_CONDITIONS)}") if condition else "any"
    if condition and text is not None and text not in _DEPLOY_CONDITIONS:
        condition.complain(f"one of {', '.join(_DEPLOY_CONDITIONS)}{nearest(text, _DEPLOY_CONDITIONS)}")
    name = _DEPLOY_CONDITIONS.get(text or "", Restart.NO)
    return RestartPolicy(name, _attempts(attempts) if attempts and name is Restart.ON_FAILURE else None)


def _attempts(place: Place) -> int | None:
    text = place.printed("a whole number")
    if text is not None and not re.fullmatch("[0-9]{1,9}", text):
        place.complain("a whole number")
        return None
    return int(text or 0) or None


def _health(keys: ServiceKeys, check: HealthCheck | None) -> HealthProbe:
    """The best probe there is: a URL, the engine's health check, or that the process runs."""
    if keys.health:
        return HealthProbe(ProbeKind.HTTP, keys.health)
    return HealthProbe(ProbeKind.ENGINE if check else ProbeKind.RUNNING)


def _replicas(place: Place) -> int:
    """``deploy.replicas``, or ``scale``; one, where neither is a number that says something."""
    for found in (place.at("deploy", "replicas"), place.get("scale")):
        text = found.printed("a whole number") if found else None
        if found and text is not None:
            if re.fullmatch("[0-9]{1,4}", text):
                return int(text) or 1
            found.complain("a whole number")
    return 1


def _is_memory_limited(place: Place) -> bool:
    """Whether ``mem_limit`` or ``deploy`` sets a limit; 0 sets none."""
    places = (place.get("mem_limit"), place.at("deploy", "resources", "limits", "memory"))
    amounts = [found.printed("an amount of memory, such as 256m") for found in places if found]
    return any(amount and not _NOTHING.fullmatch(amount) for amount in amounts)


def _networks(place: Place) -> tuple[str, ...]:
    """The networks of compose that it is attached to: the one called ``default`` if nothing is said."""
    if place.get("network_mode"):
        return ()
    networks = place.get("networks")
    if networks is None:
        return ("default",)
    return tuple(name for name, _ in networks.names())


def _enable_label(place: Place) -> bool | None:
    labels = place.get("labels")
    label = labels.get(ENABLE_LABEL) if labels else None
    if label is None:
        return None
    text = label.printed('"true" or "false"')
    if text not in ("true", "false", None):
        label.complain('"true" or "false"')
    return text == "true"


def is_active(place: Place, profiles: Collection[str]) -> bool:
    """Whether compose starts the service: it belongs to no profile, or to an active one."""
    wanted = place.get("profiles")
    names = [item.text("the name of a profile") for item in wanted.items()] if wanted else []
    return not names or "*" in profiles or any(name is None or name in profiles for name in names)
