"""The names that the Compose specification knows, so that a misspelt one can be told.

Taken from the specification's JSON schema (compose-spec, ``schema/compose-spec.json``). Names that
begin with ``x-`` are extensions and always allowed.
"""

from __future__ import annotations

import re

EXTENSION = "x-knockon"
"""Where knockon's own keys stand."""

ENABLE_LABEL = "knockon.enable"
"""The label that opts a service in or out, for stacks whose files cannot be changed."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOP_LEVEL_KEYS = _names("configs include models name networks secrets services version volumes")

SERVICE_KEYS = _names(
    """
    annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs
    container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares
    cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt
    dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts
    gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging
    mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks
    oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged
    profiles provider pull_policy pull_refresh_after read_only restart runtime scale secrets
    security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty
    ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir
    """
)

HEALTHCHECK_KEYS = _names("disable interval retries start_interval start_period test timeout")
DEPENDS_ON_KEYS = _names("condition required restart")
PORT_KEYS = _names("app_protocol host_ip mode name protocol published target")

COMPLETED = "service_completed_successfully"
CONDITIONS = ("service_started", "service_healthy", COMPLETED)

SERVICE_NAME = re.compile(r"[a-zA-Z0-9._-]+")
PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def project_name(folder: str) -> str:
    """The name that compose gives to a project in ``folder``; empty when nothing of it is usable."""
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-")
