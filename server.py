"""The mock OAGW gateway: ``python server.py [PORT]``; ``--help`` lists the options."""

import sys

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - a clear message instead of a traceback
        sys.exit("server.py needs Python 3.11 or later; this is " + sys.version.split()[0])
    from oagw.server.run import main

    sys.exit(main(sys.argv[1:]))
