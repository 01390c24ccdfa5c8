# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "Twisted>=26.10,<26.11",
#     "msgspec>=0.22,<0.23",
#     "jsonschema-rs>=0.60",
#     "regex",
#     "publicsuffixlist",
# ]
# ///
"""The mock OAGW gateway: ``python server.py`` or ``uv run server.py``; ``--help`` lists the options."""

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - a clear message instead of a traceback
        sys.exit("server.py needs Python 3.11 or later; this is " + sys.version.split()[0])
    from oagw.server.run import main

    sys.exit(main(sys.argv[1:]))
