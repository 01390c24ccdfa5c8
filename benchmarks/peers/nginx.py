"""Become an nginx that listens on PORT: ``python nginx.py FOLDER [UPSTREAM_PORT] PORT``.

It serves the files in FOLDER, or, with UPSTREAM_PORT, passes each request on with ``proxy_pass``. It is one
process without an access log.
"""

import os
import sys
from pathlib import Path

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/{port}.pid;
error_log /dev/null;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    sendfile on;
    default_type application/json;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {folder};
        {location}
    }}
}}
"""
# Without buffering, as a gateway must relay event streams.
_PROXY = "location / {{ proxy_pass http://127.0.0.1:{upstream}; proxy_buffering off; }}"


def main(program: str, folder: str, *ports: str) -> None:
    """Write the configuration and execute ``program``."""
    *upstreams, port = ports
    location = "".join(_PROXY.format(upstream=upstream) for upstream in upstreams)
    configuration = Path(folder, f"{port}.conf")
    configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, location=location))
    os.execv(program, [program, "-c", str(configuration)])


if __name__ == "__main__":
    main(*sys.argv[1:])
