"""A fleet from its first file to its last process: a folder, a record, a supervisord."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fuzzer import procfs
from fuzzer.files import private_folder, write_atomically, writing
from fuzzer.procfs import Identity
from fuzzer.runtimes.local import inside, preflight
from fuzzer.runtimes.local.environment import host_environment, service_environment
from fuzzer.runtimes.local.fleets import PREFIX, FleetRecord, end_fleet
from fuzzer.runtimes.local.journal import FileJournal
from fuzzer.runtimes.local.supervisord import Supervisord, short_folder
from fuzzer.runtimes.runs import this_command
from fuzzer.secrecy import SECRETS
from models.errors import RuntimeUnavailable
from models.target import LocalCommand, Target


class Fleet:
    """A fleet whose supervisord answers and whose services are not started yet.

    Args:
        target: what to run.
        state_dir: where to make the fleet's folder; made if it is not there.
        proxies: ``host:port`` of the proxy on a connection: of a caller to a dependency on its port.

    Raises:
        RequestError: a service has no local command, a command no program, or a port is taken.
        RuntimeUnavailable: supervisord does not start. Nothing is left running.
        CannotWrite: its folder cannot be made or filled.
    """

    def __init__(
        self, target: Target, state_dir: Path, proxies: Mapping[tuple[str, str, int], str] | None = None
    ) -> None:
        commands = preflight.local_commands(target)
        preflight.check_ports(target)
        private_folder(state_dir)
        with writing(state_dir):
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=state_dir)).resolve()
        socket_folder = short_folder()
        self._record = FleetRecord(
            target.name,
            procfs.here(),
            _myself(),
            None,
            socket_folder,
            this_command(),
            time.time(),
            preflight.published_ports(target),
        )
        self.supervisord = Supervisord(self.folder, socket_folder / "rpc")
        self.journal = FileJournal(self.folder / "journal.json")
        try:
            self._launch(target, commands, proxies)
        except BaseException as error:
            self.end(error)
            raise

    def _launch(
        self,
        target: Target,
        commands: Mapping[str, LocalCommand],
        proxies: Mapping[tuple[str, str, int], str] | None,
    ) -> None:
        with writing(self.folder):
            self._record.write(self.folder)  # first of all, so that nothing can be left without it
            environments = {
                name: service_environment(target, name, os.environ, self._data_dir(name), proxies)
                for name in commands
            }
        preflight.check_programs(target, environments)
        with writing(self.folder):
            self.supervisord.configure(
                {name: target.services[name].restart for name in commands},
                {name: local.command for name, local in commands.items()},
                environments,
                target.directory,
            )
        self.supervisord.launch(target.directory, host_environment(os.environ))
        self._record = replace(self._record, supervisord=Identity.of(self.supervisord.pid))
        with writing(self.folder):
            self._record.write(self.folder)
        self.supervisord.until_ready()

    @property
    def record_of_processes(self) -> Path:
        """Every start and exit; see ``inside.py``."""
        return self.folder / inside.RECORD

    @property
    def logs(self) -> Path:
        """One file a service, and supervisord's."""
        return self.folder / "logs"

    def end(self, error: BaseException | None) -> None:
        """End every process within some three seconds, then remove the folder. Idempotent.

        After an error the folder stays, because of the logs, and the error gets a note that says where;
        secrets are taken out of them.
        Being interrupted is no error.
        """
        end_fleet(self.folder, self._record, self.supervisord.reap)
        if isinstance(error, Exception) and self.logs.exists():
            self._leave_no_secrets()
            error.add_note(f"the logs of the local fleet are in {self.logs}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _leave_no_secrets(self) -> None:
        (self.folder / inside.PROGRAMS).unlink(missing_ok=True)
        for path in self.logs.iterdir():
            said = path.read_text(encoding="utf-8", errors="backslashreplace")
            write_atomically(path, SECRETS.hidden(said))

    def _data_dir(self, service: str) -> Path:
        folder = self.folder / "data" / service
        folder.mkdir(parents=True)
        return folder


def _myself() -> Identity:
    myself = Identity.of(os.getpid())
    if myself is None:
        raise RuntimeUnavailable("/proc does not tell about this process; the local runtime needs it")
    return myself
