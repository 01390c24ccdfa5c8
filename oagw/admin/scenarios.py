"""/__admin/scenarios: the states of the scenarios of a sandbox."""

import msgspec
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.sandboxes import Sandbox
from oagw.stubs.store import STARTED
from oagw.stubs.stub import Stub
from oagw.web.reply import Reply, json_reply


class ScenarioState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new state of a scenario."""

    state: str


class Scenarios(AdminNode):
    """GET /__admin/scenarios → 200 {"scenarios": [{"id", "name", "state", "possibleStates", "mappings"}]}.

    A sandbox has its own states, even for the scenarios of shared stubs.
    """

    parameter = "name"

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(env, {b"reset": ResetScenarios(env)})

    def child(self, segment: str) -> AdminNode:
        return AdminNode(self.env, {b"state": StateNode(self.env, segment)})

    def render_GET(self, request: Request) -> Reply:
        sandbox = sandbox_of_call(request)
        store = sandbox.stub_store()
        scenarios = [
            {
                "id": name,
                "name": name,
                "state": store.state(name),
                "possibleStates": _states(stubs),
                "mappings": [stub.json() for stub in stubs],
            }
            for name, stubs in _by_scenario(sandbox, self.env).items()
        ]
        return json_reply({"scenarios": scenarios})


class ResetScenarios(AdminNode):
    """POST /__admin/scenarios/reset → 200 {}: reset all scenarios to their initial state."""

    def render_POST(self, request: Request) -> Reply:
        sandbox_of_call(request).stub_store().reset_scenarios()
        return json_reply({})


class StateNode(AdminNode):
    """PUT /__admin/scenarios/{name}/state {"state"} → 200 {}: set the state, or reset it if there is no body.

    404 for a scenario, and 422 for a state, that no stub mentions.
    """

    takes = msgspec.json.Decoder(ScenarioState | None)
    refuses = (404,)

    def __init__(self, env: AdminEnv, name: str) -> None:
        super().__init__(env)
        self._name = name

    def render_PUT(self, request: Request) -> Reply:
        sandbox, name = sandbox_of_call(request), self._name
        scenarios = _by_scenario(sandbox, self.env)
        stubs = scenarios.get(name)
        if stubs is None:
            raise Refused(404, f"Scenario {name} does not exist{suggestion(name, scenarios)}")
        given = read_document(request, self.takes)
        state = STARTED if given is None else given.state
        if state not in _states(stubs):
            others = suggestion(state, _states(stubs))
            raise Refused(422, f"Scenario {name} does not support state {state}{others}")
        sandbox.stub_store().set_state(name, state)
        return json_reply({})


def _by_scenario(sandbox: Sandbox, env: AdminEnv) -> dict[str, list[Stub]]:
    """Return the stubs that callers of ``sandbox`` use, by scenario."""
    found: dict[str, list[Stub]] = {}
    for store in env.sandboxes.stores(sandbox):
        for stub in store:
            if stub.scenario is not None:
                found.setdefault(stub.scenario, []).append(stub)
    return found


def _states(stubs: list[Stub]) -> list[str]:
    return list(dict.fromkeys([STARTED, *(state for stub in stubs for state in stub.states)]))
