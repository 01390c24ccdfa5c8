"""The registry: the upstreams and routes of a sandbox, and how they act together on a call.

``store`` keeps them; ``upstreams`` and ``routes`` have the writes of the management API, with their checks;
``resolve``, ``effective`` and ``matching`` find what a call means. For the pipeline:

- ``Registry.resolve(tenant, alias)``: a ``Resolved``, or ``Disabled``, or None if nobody claims the alias
- ``match(resolved, method, path)``: the route with the configuration in force, or None
"""
