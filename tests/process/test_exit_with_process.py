"""``--exit-with-parent=PID``: the server ends with a process that need not be its parent."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from launched import PATIENCE, ROOT, SERVER, Launched, ended, until

# The server where the system cannot tell when a process ends.
WITHOUT_PIDFD = (
    "import os, sys; del os.pidfd_open; from oagw.server.run import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture
def watched() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(PATIENCE)


def test_it_ends_with_the_process_and_not_with_its_parent(watched: subprocess.Popen[bytes]) -> None:
    script = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)"
    server_py = str(ROOT / "server.py")
    command = (sys.executable, "-c", script, sys.executable, server_py)
    with Launched("0", f"--exit-with-parent={watched.pid}", command=command) as server:
        assert server.process.wait(PATIENCE) == 0  # the parent, with which standard input ends
        assert server.get()[0] == 200
        kill(watched)
        until(lambda: not server.accepts())


def test_where_the_system_cannot_tell_it_ends_too(watched: subprocess.Popen[bytes]) -> None:
    command = (sys.executable, "-c", WITHOUT_PIDFD)
    with Launched("0", f"--exit-with-parent={watched.pid}", command=command, cwd=ROOT) as server:
        assert server.get()[0] == 200
        kill(watched)
        assert server.process.wait(PATIENCE) == 0


def test_a_process_that_is_not_there_is_refused(watched: subprocess.Popen[bytes]) -> None:
    kill(watched)
    process = ended("0", f"--exit-with-parent={watched.pid}")
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == f"server.py: --exit-with-parent: there is no process {watched.pid}\n"


# The server where loading it never ends.
LOADING = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "twisted.internet":
            time.sleep(60)
sys.meta_path.insert(0, Slow())
from oagw.server.run import main
sys.exit(main(sys.argv[1:]))
"""


def test_it_ends_at_once_while_it_still_loads() -> None:
    command = (sys.executable, "-c", LOADING)
    with Launched("0", "--exit-with-parent", command=command, cwd=ROOT, stdin=subprocess.PIPE) as server:
        server.process.stdin.close()
        assert server.process.wait(PATIENCE) == 0


def test_a_server_whose_parent_ended_before_it_began_does_not_stay() -> None:
    # The shell has a session of its own. In a container, the process that adopts may have that of all others.
    command = ("/bin/sh", "-c", '(sleep 0.2; exec "$@") &', "sh", *SERVER)
    # This waits for the server, which has the output.
    process = ended("0", "--exit-with-parent", command=command, start_new_session=True)
    assert process.stdout == ""
    assert process.stderr == "server.py: --exit-with-parent: the parent process has already ended\n"


def test_a_server_in_a_session_of_its_own_has_its_parent() -> None:
    with Launched("0", "--exit-with-parent", start_new_session=True) as server:
        assert server.get()[0] == 200
