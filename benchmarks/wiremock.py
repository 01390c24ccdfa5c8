"""WireMock itself, where Java and its jar are: ``npm ci --prefix benchmarks`` brings the jar."""

import os
import shutil
from pathlib import Path

from subjects import HERE, Subject

# The jar, if it is somewhere else.
_VARIABLE = "WIREMOCK_JAR"

# As many journal entries as the gateway keeps, and a Content-Length, which is what the client reads.
_OPTIONS = ("--disable-banner", "--max-request-journal-entries", "10000", "--use-chunked-encoding", "never")


def found() -> Subject | str:
    """WireMock, or why it takes no part."""
    java = shutil.which("java")
    if java is None:
        return "there is no java"
    given = os.environ.get(_VARIABLE)
    installed = (HERE / "node_modules" / "wiremock" / "build").glob("wiremock-standalone-*.jar")
    jar = Path(given) if given else next(installed, None)
    if jar is None or not jar.is_file():
        return f"its jar is neither in node_modules (npm ci --prefix {HERE}) nor at {_VARIABLE}"
    command = (java, "-jar", str(jar), *_OPTIONS, "--port")
    return Subject("WireMock", command, {"health": "/__admin/health"})
