"""``python benchmarks/run.py``: compare the gateway with a bare twisted.web site and other servers.

Progress goes to standard error; the table at the end goes to standard output.
"""

import argparse
import os
import platform
import resource
import sys
import time

import bursts
import downloads
import forwarding
import gaps
import journal
import memory
import rates
import relayed
import spawns
import startup
import stubs
import upstreams
from table import markdown

PARTS = {
    "startup": startup,
    "spawns": spawns,
    "rates": rates,
    "journal": journal,
    "stubs": stubs,
    "bursts": bursts,
    "gaps": gaps,
    "memory": memory,
    "forwarding": forwarding,
    "relayed": relayed,
    "downloads": downloads,
    "upstreams": upstreams,
}


def main() -> int:
    """Run the selected parts. Return 1 if a target is missed, else 0."""
    parser = argparse.ArgumentParser(
        description="Compare the gateway with a bare twisted.web site and Flask."
    )
    names = ", ".join(PARTS)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"part to run: {names} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    options = parser.parse_args()
    unknown = set(options.part) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {names}")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the servers inherit it
    if hard < 2 * bursts.COUNTS[-1]:
        parser.error(f"{hard} open files are too few for {bursts.COUNTS[-1]} streams")
    rows = []
    for part in options.part or PARTS:
        for row in PARTS[part].rows(options.quick):
            print(f"{time.strftime('%H:%M:%S')} {row.what}: {row.ours}", file=sys.stderr)
            rows.append(row)
    system = f"{platform.system()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{time.strftime('%Y-%m-%d')}, {system}\n\n{markdown(rows)}")
    return int(any(row.holds is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
