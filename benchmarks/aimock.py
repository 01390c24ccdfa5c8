"""The npm package @copilotkit/aimock, where Node is: ``npm ci --prefix benchmarks`` brings it."""

import os
import shutil
from pathlib import Path

from subjects import HERE, Subject

# The folder of the package, if it is somewhere else.
_VARIABLE = "AIMOCK"


def found() -> Subject | str:
    """aimock, or why it takes no part."""
    node = shutil.which("node")
    if node is None:
        return "there is no node"
    package = Path(os.environ.get(_VARIABLE, HERE / "node_modules" / "@copilotkit" / "aimock"))
    module = package / "dist" / "index.js"
    if not module.is_file():
        return f"it is neither in node_modules (npm ci --prefix {HERE}) nor at {_VARIABLE}"
    command = (node, str(HERE / "peers" / "aimock.mjs"), str(module))
    return Subject("aimock", command, {"health": "/health", "chat": "/v1/chat/completions"})
