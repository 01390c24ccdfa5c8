"""The client exam: named situations, and a verdict for each on what a client did.

``situation`` says what a situation is. A file for each group (``retry``, ``streams`` ...) has the situations,
which are data. ``rules`` judges, ``examination`` is one situation that a client takes, and ``catalogue`` has
all of them by name. ``/__admin/exam`` and the command ``oagw-mock exam`` use them.
"""
