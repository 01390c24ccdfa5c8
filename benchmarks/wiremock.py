"""Find WireMock. It needs Java and a jar, which ``npm ci --prefix benchmarks`` installs."""

import os
import shutil
from pathlib import Path

from subjects import HERE, Subject

# The environment variable for the path of another jar.
_VARIABLE = "WIREMOCK_JAR"

# Keep as many journal entries as the gateway, and send Content-Length, which the client requires.
_OPTIONS = ("--disable-banner", "--max-request-journal-entries", "10000", "--use-chunked-encoding", "never")


def found() -> Subject | str:
    """Return WireMock, or a reason why it is not available."""
    java = shutil.which("java")
    if java is None:
        return "java is not installed"
    given = os.environ.get(_VARIABLE)
    installed = (HERE / "node_modules" / "wiremock" / "build").glob("wiremock-standalone-*.jar")
    jar = Path(given) if given else next(installed, None)
    if jar is None or not jar.is_file():
        return f"its jar is neither in node_modules (npm ci --prefix {HERE}) nor at {_VARIABLE}"
    command = (java, "-jar", str(jar), *_OPTIONS, "--port")
    return Subject("WireMock", command, {"health": "/__admin/health"})
