"""Directory: stubs and bodies from a folder in WireMock's layout."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from oagw.model.call import Call
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.stubs.folder import Directory
from oagw.stubs.mapping import StubMapping
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub

MEMORY = Memory(1 << 30)

ID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mappings" / "nested").mkdir(parents=True)
    (tmp_path / "__files").mkdir()
    return tmp_path


@pytest.fixture
def store() -> StubStore:
    return StubStore(MEMORY)


def write(folder: Path, name: str, document: Any) -> None:
    (folder / "mappings" / name).write_text(json.dumps(document))


def names(store: StubStore) -> list[Any]:
    return [stub.mapping.name for stub in store]


def test_stubs_are_read_from_all_files_and_what_comes_first_takes_precedence(
    folder: Path, store: StubStore
) -> None:
    write(folder, "b.json", {"name": "b"})
    write(folder, "nested/c.json", {"name": "c"})
    write(folder, "a.json", {"mappings": [{"name": "a1"}, {"name": "a2"}]})
    Directory(folder, MEMORY).load(store)
    assert names(store) == ["a1", "a2", "b", "c"]


def test_a_stub_without_an_id_is_known_again_and_one_with_an_id_keeps_it(
    folder: Path, store: StubStore
) -> None:
    write(folder, "a.json", {"name": "a"})
    write(folder, "b.json", {"id": ID, "name": "b"})
    directory = Directory(folder, MEMORY)
    directory.load(store)
    before = [stub.id for stub in store]
    directory.load(store)
    assert [stub.id for stub in store] == before
    assert before[1] == ID


def test_what_was_made_otherwise_stays_and_what_is_gone_from_the_folder_goes(
    folder: Path, store: StubStore
) -> None:
    write(folder, "a.json", {"name": "a"})
    write(folder, "b.json", {"name": "b"})
    directory = Directory(folder, MEMORY)
    directory.load(store)
    store.add(Stub(StubMapping(name="made"), ID, {}))
    (folder / "mappings" / "a.json").unlink()
    directory.load(store)
    assert sorted(names(store)) == ["b", "made"]


def test_a_reset_has_the_stubs_of_the_folder_alone_and_forgets_how_often_they_answered(
    folder: Path, store: StubStore
) -> None:
    write(folder, "a.json", {"name": "a"})
    directory = Directory(folder, MEMORY)
    directory.load(store)
    (known,) = store
    made = Stub(StubMapping(name="made"), ID, {})
    store.add(made)
    for stub in (known, made):
        store.answer(stub, Call("GET", "/"), 0.0, Draws(Random(1)))
        assert store.has_answered(stub)
    directory.restore(store)
    assert names(store) == ["a"]
    assert not any(map(store.has_answered, (known, made)))


def test_a_stub_of_an_edited_file_counts_anew_and_the_others_go_on(folder: Path, store: StubStore) -> None:
    (folder / "__files" / "c.txt").write_text("1")
    for name, url in (("same", "/a"), ("edited", "/b")):
        write(folder, f"{name}.json", {"request": {"url": url}, "times": 1})
    sent = {"request": {"url": "/c"}, "response": {"bodyFileName": "c.txt"}, "times": 1}
    write(folder, "sent.json", sent)
    directory = Directory(folder, MEMORY)
    directory.load(store)
    for url in ("/a", "/b", "/c"):
        stub = store.find(Call("GET", url), 0.0)
        assert stub is not None
        store.answer(stub, Call("GET", url), 0.0, Draws(Random(1)))
        assert store.find(Call("GET", url), 0.0) is None
    write(folder, "edited.json", {"request": {"url": "/b"}, "response": {"status": 201}, "times": 1})
    (folder / "__files" / "c.txt").write_text("2")
    directory.load(store)
    ready = [url for url in ("/a", "/b", "/c") if store.find(Call("GET", url), 0.0) is not None]
    assert ready == ["/b", "/c"]


def test_a_file_that_does_not_fit_is_named_with_its_member_and_changes_nothing(
    folder: Path, store: StubStore
) -> None:
    write(folder, "a.json", {"name": "a"})
    directory = Directory(folder, MEMORY)
    directory.load(store)
    write(folder, "nested/bad.json", {"mappings": [{}, {"response": {"status": 1}}]})
    with pytest.raises(Invalid) as refused:
        directory.load(store)
    assert refused.value.detail.startswith("mappings/nested/bad.json at /mappings/1/response/status: ")
    assert names(store) == ["a"]


def test_a_file_that_cannot_be_read_is_named(folder: Path, store: StubStore) -> None:
    (folder / "mappings" / "folder.json").mkdir()
    with pytest.raises(Invalid, match=r"mappings/folder\.json: "):
        Directory(folder, MEMORY).load(store)


def test_without_a_folder_there_are_neither_stubs_nor_files(store: StubStore) -> None:
    directory = Directory(None, MEMORY)
    directory.load(store)
    assert (names(store), dict(directory.files)) == ([], {})


def test_a_path_that_is_no_folder_is_refused(folder: Path, store: StubStore) -> None:
    with pytest.raises(Invalid, match="is not a folder"):
        Directory(folder / "none", MEMORY).load(store)


def test_files_are_those_below_the_folder(folder: Path) -> None:
    (folder / "__files" / "sub").mkdir()
    (folder / "__files" / "sub" / "b.txt").write_bytes(b"b")
    (folder / "__files" / "a.txt").write_bytes(b"a")
    files = Directory(folder, MEMORY).files
    assert dict(files) == {"a.txt": b"a", "sub/b.txt": b"b"}
    assert len(files) == 2


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "link", "none", "sub/../../secret", "a\0b", ""])
def test_no_name_leads_out_of_the_files(folder: Path, name: str) -> None:
    (folder / "secret").write_text("x")
    (folder / "__files" / "link").symlink_to(folder / "secret")
    assert name not in Directory(folder, MEMORY).files
