"""Outlets: puts the toxics that act on a response below it, between its channel and the transport."""

from typing import TYPE_CHECKING

from oagw.gateway.undecided import report_undecided
from oagw.model.call import is_admin
from oagw.model.ending import Ending
from oagw.model.entry import FAULT
from oagw.model.layout import Layout
from oagw.timing.ticker import Ticker
from oagw.web.outlet import Outlet
from oagw.web.request import GatewayRequest

if TYPE_CHECKING:  # loaded with the first toxic: most tests have none
    from oagw.toxics.toxic import Toxic


class Outlets:
    """The outlets of the responses under way; ``open`` are those that have not ended."""

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._acting: dict[Outlet, list[Toxic]] = {}

    @property
    def open(self) -> set[Outlet]:
        """The outlets through which something is still to come, or that hang."""
        return set(self._acting)

    def outlet_for(self, request: GatewayRequest) -> Outlet | None:
        """The outlet of the response to ``request``, whose first byte is to be written; None without toxics.

        The toxics are the request's own, then those of its sandbox, in the order in which they were made. A
        sandbox is on its own: the shared toxics do not act on it. Calls to the control plane know no toxics.
        """
        if not (request.faults or request.caller.sandbox.toxics) or is_admin(request.path):
            return None
        return self._outlet(request)

    def release(self, toxic: "Toxic") -> None:
        """Close the connections whose responses hang because of ``toxic``, which is gone."""
        if toxic.ends:
            for outlet, acting in tuple(self._acting.items()):
                if outlet.ending is Ending.HANG and toxic in acting:
                    outlet.cut()

    def stop(self) -> None:
        """Cut all responses, because the gateway stops."""
        for outlet in self.open:
            outlet.cut()

    def _outlet(self, request: GatewayRequest) -> Outlet | None:
        from oagw.toxics.toxic import asked_for, chain, selected

        site, entry, sandbox = request.channel.site, request.entry, request.caller.sandbox
        toxics = asked_for(request.faults, sandbox.draws)
        if sandbox.toxics:
            call = request.call()
            toxics += selected(sandbox.toxics.values(), call, site.wall(), sandbox.draws)
            report_undecided(entry, call)
        if not toxics:
            return None
        acting: list[Toxic] = []

        def acts(toxic: "Toxic") -> None:
            acting.append(toxic)
            toxic.acted += 1
            entry.changed_by(tuple(toxic.name for toxic, _ in toxics if toxic in acting))
            if toxic.ends:
                entry.answered(FAULT)

        layout = Layout()
        outlet = Outlet(request, chain(toxics, layout, acts), layout, self._ticker, self._closed)
        self._acting[outlet] = acting
        return outlet

    def _closed(self, outlet: Outlet) -> None:
        self._acting.pop(outlet, None)
