"""Read a folder in WireMock's layout: stubs in ``mappings/*.json``, bodies in ``__files/``."""

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import suppress
from errno import EFBIG, EINVAL
from pathlib import Path
from stat import S_ISREG
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import UNSET, Raw, UnsetType

from oagw.model.document import decoded
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.stubs.mapping import Mappings, StubMapping
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub

# The largest size of a file, in bytes.
_MAX = 64_000_000


class _Kind(msgspec.Struct):
    """A file of stubs, parsed only to find out whether it has several."""

    mappings: Raw | UnsetType = UNSET


_KIND = msgspec.json.Decoder(_Kind)
_ONE = msgspec.json.Decoder(StubMapping)
_MANY = msgspec.json.Decoder(Mappings)


class Files(Mapping[str, bytes]):
    """The files below ``folder``, by relative path. Paths out of it and large files raise KeyError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def __getitem__(self, name: str) -> bytes:
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder):
                raise KeyError(name)
            return _content(path)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        paths = (path for path in self._folder.rglob("*") if path.is_file())
        return (path.relative_to(self._folder).as_posix() for path in paths)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Directory:
    """The folder at ``path``, which contains ``mappings``, ``__files`` or both; None if there is no folder.

    ``stubs`` are those read last. ``memory`` counts their size here, not in the store, because they are
    restored when a sandbox is reset.
    """

    def __init__(self, path: Path | None, memory: Memory) -> None:
        self._path = path
        self._memory = memory
        self._weight = 0
        self.files: Mapping[str, bytes] = {} if path is None else Files(path / "__files")
        self.stubs: list[Stub] = []

    def load(self, store: StubStore) -> None:
        """Read the folder and replace the stubs that were read before.

        Unchanged stubs keep their counts. Raises Invalid, whose detail names the file and the member, without
        changing anything.
        """
        before = {stub.id: stub for stub in self.stubs}
        stubs, weight = [], 0
        for stub in self._read():
            weight += stub.weight
            self._memory.check(weight - self._weight)
            stub.weight = 0
            known = before.get(stub.id)
            stubs.append(known if known is not None and known.equals(stub) else stub)
        self._memory.keep("stubs of --mappings", weight - self._weight)
        self._weight = weight
        store.reload(self.stubs, stubs)
        self.stubs = stubs

    def restore(self, store: StubStore) -> None:
        """Replace all stubs in ``store`` by those that were read last."""
        store.clear()
        store.reload((), self.stubs)

    def _read(self) -> Iterator[Stub]:
        if self._path is None:
            return
        if not self._path.is_dir():
            raise Invalid("", f"{self._path} is not a folder")
        if not any((self._path / name).is_dir() for name in ("mappings", "__files")):
            raise Invalid("", f"{self._path} contains neither mappings/ nor __files/")
        ids: set[str] = set()
        for path in sorted((self._path / "mappings").rglob("*.json")):
            file = path.relative_to(self._path).as_posix()
            try:
                for pointer, mapping in _mappings_in(_content(path).removeprefix(BOM_UTF8)):
                    # The same id each time, so that an unchanged stub is recognised.
                    id = mapping.id or mapping.uuid or str(uuid5(NAMESPACE_URL, file + pointer))
                    stub = Stub(mapping, id.lower(), self.files, pointer)
                    if stub.id in ids:
                        raise Invalid(f"{pointer}/id", "Another stub in the folder has the same id")
                    ids.add(stub.id)
                    yield stub
            except OSError as error:
                raise Invalid("", f"{file}: {error.strerror}") from None
            except Invalid as invalid:
                at = f"{file} at {invalid.pointer}" if invalid.pointer else file
                raise Invalid("", f"{at}: {invalid.detail}") from None


def _content(path: Path) -> bytes:
    """Return the contents of the file at ``path``.

    Raises OSError, also if it is too large, or not a regular file: reading a pipe would block.
    """
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise OSError(EINVAL, "Not a file")
    if status.st_size > _MAX:
        raise OSError(EFBIG, f"Larger than {_MAX} bytes")
    return path.read_bytes()


def _mappings_in(body: bytes) -> Iterator[tuple[str, StubMapping]]:
    """Yield the stubs of a file (one, or ``{"mappings": [...]}``) and their JSON pointers. Raises Invalid."""
    several = False
    with suppress(ValueError, RecursionError):  # the file is then parsed as one stub, which reports the error
        several = _KIND.decode(body).mappings is not UNSET
    if several:
        for number, mapping in enumerate(decoded(_MANY, body).mappings):
            yield f"/mappings/{number}", mapping
    else:
        yield "", decoded(_ONE, body)
