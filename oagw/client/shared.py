"""SharedGateway: one server for all workers of a test run that is spread over processes, as by pytest-xdist.

The first worker that needs it starts it, under a lock. It ends with the process that controls the run, not
with that worker, which may end first. Standard library only.
"""

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from oagw.client.mock_gateway import EXIT_TIMEOUT, TOKEN, GatewayFailed, RunningGateway, announced, spawn

# Seconds between two looks at whether the server still runs.
_LOOK = 0.01


class SharedGateway(RunningGateway):
    """The gateway that the workers of a test run share; it is started if there is none yet.

    ``folder`` is a folder that all workers know, and that no other test run uses. ``controller`` is the
    process with which the server ends. Workers with the same ``options`` share a server. Raises GatewayFailed
    if it does not start.
    """

    def __init__(self, folder: Path, controller: int, options: Sequence[str] = ()) -> None:
        name = "oagw-" + sha256(json.dumps(list(options)).encode()).hexdigest()[:12]
        self._log = folder / f"{name}.log"  # for the standard error of the server
        self._pid = 0
        with open(folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = folder / f"{name}.json"
            if not known.exists():
                about = self._start(controller, options)
                known.with_suffix(".new").write_text(json.dumps(about))
                known.with_suffix(".new").rename(known)
            about = json.loads(known.read_text())
        self._pid = about["pid"]
        super().__init__(about["url"], TOKEN, os.environ.get("OAGW_ADMIN_TOKEN"))

    def _start(self, controller: int, options: Sequence[str]) -> dict[str, str | int]:
        arguments = [f"--exit-with-parent={controller}", f"--token={TOKEN}", *options]
        with open(self._log, "wb") as log:
            process = spawn(arguments, subprocess.DEVNULL, log)
        try:
            url = announced(process, "ready")  # after which it writes no more to standard output
        except GatewayFailed as failure:
            raise GatewayFailed(f"{failure}\n{self._said()}".strip()) from None
        assert process.stdout is not None
        process.stdout.close()
        # This process does not wait for the server; Popen would warn that it still runs.
        process.returncode = 0
        return {"url": url, "pid": process.pid}

    def _check_server(self) -> None:
        end = time.monotonic() + EXIT_TIMEOUT
        while _runs(self._pid):
            if time.monotonic() >= end:
                return
            time.sleep(_LOOK)
        raise GatewayFailed(f"the server of this test run has exited:\n{self._said()}")

    def _said(self) -> str:
        return self._log.read_text(errors="replace").strip()


def _runs(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        pass  # another worker started it
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
