"""The client exam: named situations, and a verdict for each on what a client did.

``situation`` says what a situation is. A file for each group (``retry``, ``streams`` ...) has the situations,
which are data, and ``catalogue`` has all of them by name. The rules that they name are in ``observed``,
``visited`` and ``reported``; ``judging`` applies them. ``/__admin/exam`` and ``oagw-mock exam`` use them.
"""
