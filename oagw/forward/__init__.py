"""Real upstreams: loaded when a call is first forwarded."""
