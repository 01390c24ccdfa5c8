"""The credential store: who sees which secret, versions, and bounds."""

from random import Random
from uuid import UUID

import pytest

import oagw.secrets
from oagw.model.invalid import Invalid
from oagw.model.memory import MIB, Memory
from oagw.model.tenants import Identity, Tenant, Tenants
from oagw.secrets import Secret, SecretExists, Secrets, Sharing, is_reference, reference_in

ROOT, CHILD, ALONE, BELOW, OTHER, OUTSIDE = (UUID(int=number) for number in range(1, 7))
TREE = Tenants(
    [
        Tenant(ROOT),
        Tenant(CHILD, ROOT),
        Tenant(ALONE, ROOT, self_managed=True),
        Tenant(BELOW, ALONE),
        Tenant(OTHER, ROOT),
    ]
)
OWNER = Identity(ROOT, "owner")


def store(limit: int = MIB) -> Secrets:
    return Secrets(Memory(limit), Random(1), TREE)


def value(secrets: Secrets, tenant: UUID, subject: str = "owner", date: float = 0.0) -> str | None:
    secret = secrets.find("key", Identity(tenant, subject), date)
    return None if secret is None else secret.value


def added(secrets: Secrets, value: str, sharing: Sharing, owner: Identity = OWNER) -> Secret:
    secret = secrets.create(owner, "key", value, sharing)
    assert secret is not None
    return secret


def test_a_private_secret_is_its_owners_alone() -> None:
    secrets = store()
    added(secrets, "mine", "private")
    assert value(secrets, ROOT) == "mine"
    assert value(secrets, ROOT, "another") is None
    assert value(secrets, CHILD) is None


def test_a_tenants_secret_stays_in_the_tenant() -> None:
    secrets = store()
    added(secrets, "ours", "tenant")
    assert value(secrets, ROOT, "another") == "ours"
    assert value(secrets, CHILD) is None


def test_a_shared_secret_reaches_all_below_and_passes_barriers() -> None:
    secrets = store()
    added(secrets, "all", "shared", Identity(ALONE, "x"))
    assert [value(secrets, tenant) for tenant in (BELOW, ROOT, OTHER)] == ["all", None, None]
    added(secrets, "roots", "shared")
    assert [value(secrets, tenant) for tenant in (BELOW, ALONE, OTHER, OUTSIDE)] == [
        "all",
        "all",
        "roots",
        None,
    ]


def test_the_nearest_comes_first() -> None:
    secrets = store()
    for sharing, owner in (
        ("shared", OWNER),
        ("tenant", Identity(CHILD, "x")),
        ("private", Identity(CHILD, "y")),
    ):
        added(secrets, f"{sharing} of {owner.subject}", sharing, owner)  # type: ignore[arg-type]
    assert [value(secrets, CHILD, subject) for subject in ("x", "y")] == ["tenant of x", "private of y"]
    assert value(secrets, OTHER) == "shared of owner"


def test_a_reference_is_taken_once() -> None:
    secrets = store()
    added(secrets, "a", "tenant")
    assert secrets.create(Identity(ROOT, "another"), "key", "b", "shared") is None
    assert secrets.create(Identity(CHILD, "x"), "key", "b") is not None


def test_a_replaced_secret_has_a_new_version_and_keeps_its_sharing() -> None:
    secrets = store()
    first = added(secrets, "a", "tenant")
    second = secrets.replace(first, "b", None)
    assert (second.sharing, second.tag) == ("tenant", f"{first.id}.2")
    third = secrets.replace(second, "c", "private")
    assert (value(secrets, ROOT), value(secrets, ROOT, "another"), third.version) == ("c", None, 3)
    assert len(secrets) == 1


def test_a_secret_does_not_take_the_place_of_another() -> None:
    secrets = store()
    own, all = added(secrets, "own", "private"), added(secrets, "all", "tenant")
    changes: list[tuple[Secret, Sharing]] = [(own, "tenant"), (own, "shared"), (all, "private")]
    for secret, sharing in changes:
        with pytest.raises(SecretExists):
            secrets.replace(secret, "another", sharing)
    assert (value(secrets, ROOT), value(secrets, ROOT, "another"), len(secrets)) == ("own", "all", 2)
    assert secrets.replace(all, "all", "shared").version == 2
    assert secrets.create(OWNER, "other", "soon", "tenant", expires_at=100.0) is not None
    other = secrets.create(OWNER, "other", "own", "private")
    assert other is not None
    with pytest.raises(SecretExists):
        secrets.replace(other, "own", "tenant", 99.0)
    assert secrets.replace(other, "own", "tenant", 100.0).sharing == "tenant"  # that one has expired
    assert len(secrets) == 3


def test_sizes_are_in_bytes_and_types_count() -> None:
    memory = Memory(MIB)
    secrets = Secrets(memory, Random(1), TREE)
    one = secrets.create(OWNER, "a", "\U0001f511" * 1_000)
    assert one is not None
    assert memory.documents["secrets"] == one.weight == 4_500
    secrets.create(OWNER, "b", "x", type="t" * 10_000)
    assert memory.documents["secrets"] > 14_500
    secrets.replace(one, "x", None)
    assert memory.documents["secrets"] < 12_000
    secrets.clear()
    assert memory.documents["secrets"] == 0


def test_an_expired_secret_is_gone() -> None:
    secrets = store()
    secrets.create(OWNER, "key", "a", expires_at=100.0)
    assert [value(secrets, ROOT, date=date) for date in (99.0, 100.0)] == ["a", None]


def test_their_number_and_size_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = store(4_000)
    with pytest.raises(Invalid):
        secrets.create(OWNER, "key", "x" * 4_000)
    secret = added(secrets, "x" * 1_000, "tenant")
    secrets.delete(secret)
    assert secrets.find("key", OWNER, 0.0) is None
    monkeypatch.setattr(oagw.secrets, "MAX_SECRETS", 1)
    for _ in range(20):  # what is deleted takes no memory
        added(secrets, "x" * 1_000, "tenant")
        with pytest.raises(Invalid, match="limit of 1 secrets"):
            secrets.create(OWNER, "other", "a")
        secrets.clear()


def test_the_value_is_not_in_the_representation() -> None:
    assert "hidden" not in repr(added(store(), "hidden", "tenant"))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("cred://a-B_1", "a-B_1"),
        ("a", "a"),
        ("", None),
        ("cred://", None),
        ("cred://a/b", None),
        ("a b", None),
    ],
)
def test_a_reference_may_have_its_scheme(text: str, reference: str | None) -> None:
    assert reference_in(text) == reference


def test_a_reference_is_bounded() -> None:
    assert [is_reference("a" * length) for length in (0, 1, 255, 256)] == [False, True, True, False]
    assert not is_reference("a\n")
