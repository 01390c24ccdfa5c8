"""The management API: upstreams and routes below /api/oagw/v1. Loaded when it is first called."""
