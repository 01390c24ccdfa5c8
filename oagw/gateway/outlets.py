"""Outlets: insert toxics between the channel of a response and the transport."""

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
    """The outlets of all current responses."""

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._acting: dict[Outlet, list[Toxic]] = {}

    @property
    def open(self) -> set[Outlet]:
        """The outlets whose responses have not ended, or hang."""
        return set(self._acting)

    def outlet_for(self, request: GatewayRequest) -> Outlet | None:
        """Return the outlet of the response to ``request``, or None if no toxics act on it.

        Called before the first byte is written. The toxics are those of the request, then those of its
        sandbox, in the order in which they were created. Toxics of the default sandbox act only on that
        sandbox. No toxics act on the control plane.
        """
        if not (request.faults or request.caller.sandbox.toxics) or is_admin(request.path):
            return None
        return self._outlet(request)

    def release(self, toxic: "Toxic") -> None:
        """Close the connections of responses that hang because of ``toxic``, which was removed."""
        if toxic.ends:
            for outlet, acting in tuple(self._acting.items()):
                if outlet.ending is Ending.HANG and toxic in acting:
                    outlet.cut()

    def stop(self) -> None:
        """Truncate all responses, because the gateway stops."""
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
