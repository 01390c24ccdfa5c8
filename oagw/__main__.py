"""``python -m oagw``: the same as ``python server.py``."""

import sys

from oagw.server.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], prog="python -m oagw"))
