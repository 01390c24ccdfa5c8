"""Body files whose names are templates, so that the request selects the file."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.render_context import Context, RenderError

if TYPE_CHECKING:
    from oagw.templates.compiled import Template

# The number of compiled templates to cache, and the largest file that may be a template, in bytes.
_KEPT = 32
_MAX_SIZE = 1 << 20


class BodyFile:
    """A file in ``files`` whose name is the template ``name``.

    The contents are a template too, unless ``literal``. Raises Invalid, with ``pointer`` as the location.
    """

    def __init__(self, name: str, files: Mapping[str, bytes], pointer: str, *, literal: bool) -> None:
        from oagw.templates.compiled import compile

        if isinstance(files, dict) and not files:
            raise Invalid(pointer, "bodyFileName requires a folder with __files: start with --mappings")
        self._name = compile(name, pointer)
        self._files = files
        self._pointer = pointer
        self._literal = literal
        self._templates: dict[bytes, Template] = {}

    def body(self, call: Call, context: Context) -> bytes:
        """Return the body for ``call``. Raises RenderError, without the name, if the file does not exist."""
        data = self._files.get(self._name.render(call, context))
        if data is None:
            raise RenderError(f"{self._pointer}: no such file in __files.")
        if self._literal or b"{{" not in data:
            return data
        template = self._template(data)
        return data if template is None else template.render(call, context).encode()

    def _template(self, data: bytes) -> "Template | None":
        """Compile ``data`` as a template; return None if it is not UTF-8 text."""
        from oagw.templates.compiled import compile

        found = self._templates.get(data)
        if found is not None:
            return found
        if len(data) > _MAX_SIZE:
            raise RenderError(f"{self._pointer}: the template in the file is larger than {_MAX_SIZE} bytes.")
        try:
            template = compile(data.decode(), self._pointer)
        except UnicodeDecodeError:
            return None
        except Invalid as invalid:
            raise RenderError(f"{self._pointer}: in the file: {invalid.detail}") from None
        while len(self._templates) >= _KEPT:
            del self._templates[next(iter(self._templates))]
        self._templates[data] = template
        return template
