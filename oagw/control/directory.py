"""A folder in WireMock's layout: stubs in ``mappings/*.json``, bodies in ``__files/``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import msgspec

from oagw.control.document import decoded
from oagw.control.invalid import Invalid
from oagw.control.mapping import Mappings, StubMapping
from oagw.control.space import Space
from oagw.control.store import Stub, store_of

# Bytes of a file that a stub may answer with.
_MAX = 64_000_000

_ONE = msgspec.json.Decoder(StubMapping)
_MANY = msgspec.json.Decoder(Mappings)


class Files(Mapping[str, bytes]):
    """The files below ``folder`` by their path there; none that leads out of it, none that is too large."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def __getitem__(self, name: str) -> bytes:
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder) or path.stat().st_size > _MAX:
                raise KeyError(name)
            return path.read_bytes()
        except (OSError, ValueError):  # ValueError: a NUL in the name
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        paths = (path for path in self._folder.rglob("*") if path.is_file())
        return (path.relative_to(self._folder).as_posix() for path in paths)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Directory:
    """The folder at ``path``, which has ``mappings`` in it, or ``__files``, or both; None for no such folder.

    ``stubs`` are those that were read last.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.files: Mapping[str, bytes] = {} if path is None else Files(path / "__files")
        self.stubs: list[Stub] = []

    def load(self, space: Space) -> None:
        """Read the folder, and put its stubs in the place of those that were read before.

        Raises Invalid, whose detail names file and member; nothing has changed then.
        """
        stubs = list(self._read())
        store = store_of(space)
        for stub in self.stubs:
            if store.get(stub.id) is stub:
                store.remove(stub)
        self.stubs = stubs
        for stub in reversed(stubs):
            store.add(stub)

    def restore(self, space: Space) -> None:
        """Have the stubs that were read last in ``space``, and no others."""
        store = store_of(space)
        store.clear()
        space.hits.clear()
        for stub in reversed(self.stubs):
            store.add(stub)

    def _read(self) -> Iterator[Stub]:
        if self._path is None:
            return
        if not self._path.is_dir():
            raise Invalid("", f"{self._path} is not a folder")
        for path in sorted((self._path / "mappings").rglob("*.json")):
            place = path.relative_to(self._path).as_posix()
            try:
                for pointer, mapping in _mappings_in(path.read_bytes()):
                    # The same at each reading, so that a stub is known again.
                    id = mapping.id or mapping.uuid or str(uuid5(NAMESPACE_URL, place + pointer))
                    yield Stub(mapping, id.lower(), self.files, pointer)
            except OSError as error:
                raise Invalid("", f"{place}: {error.strerror}") from None
            except Invalid as invalid:
                at = f"{place} at {invalid.pointer}" if invalid.pointer else place
                raise Invalid("", f"{at}: {invalid.detail}") from None


def _mappings_in(body: bytes) -> Iterator[tuple[str, StubMapping]]:
    """The stubs of a file, one or ``{"mappings": [...]}``, each with its JSON pointer; raises Invalid."""
    if b'"mappings"' in body:
        for number, mapping in enumerate(decoded(_MANY, body).mappings):
            yield f"/mappings/{number}", mapping
    else:
        yield "", decoded(_ONE, body)
