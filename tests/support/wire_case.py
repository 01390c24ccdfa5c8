"""WireTestCase: a test with one connection to a gateway in memory, after which nothing is left behind."""

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from tests.support.probe import Probe
from tests.support.wire import Wire


class WireTestCase(SynchronousTestCase):
    """Has ``wire``, ``connection`` and ``probe``, one of its upstreams.

    At the end no timer, no stream and no logged error may be left.
    """

    config = Config(seed=1)

    def setUp(self) -> None:
        self.probe = Probe()
        self.wire = Wire(self.config, services={"probe": self.probe.tree})
        self.connection = self.wire.connect()

    def tearDown(self) -> None:
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.assertEqual(self.wire.gateway.outlets.open, set())
        self.assertEqual(self.flushLoggedErrors(), [])
