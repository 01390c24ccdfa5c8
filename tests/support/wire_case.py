"""WireTestCase: a test with one connection to a gateway in memory, after which nothing is left behind."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Wire


class WireTestCase(SynchronousTestCase):
    """Has ``wire`` and ``connection``; at the end no timer, no stream and no logged error may be left."""

    def setUp(self) -> None:
        self.wire = Wire()
        self.connection = self.wire.connect()

    def tearDown(self) -> None:
        self.connection.leave()
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.assertEqual(self.wire.gateway.streams.open, set())
        self.assertEqual(self.wire.gateway.outlets.open, set())
        self.assertEqual(self.flushLoggedErrors(), [])
