"""bodyFileName as a template: which file a stub answers with depends on the request."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.render_context import Context, RenderError

if TYPE_CHECKING:
    from oagw.templates.compiled import Template

# Files whose templates are kept, and what such a file may have, in bytes.
_KEPT = 32
_MAX_SIZE = 1 << 20


class BodyFile:
    """The file that the template ``name`` names, in ``files``; itself a template, unless it is ``literal``.

    Raises Invalid, with ``pointer``.
    """

    def __init__(self, name: str, files: Mapping[str, bytes], pointer: str, *, literal: bool) -> None:
        from oagw.templates.compiled import compile

        if isinstance(files, dict) and not files:
            raise Invalid(pointer, "bodyFileName needs a folder with __files: start with --mappings")
        self._name = compile(name, pointer)
        self._files = files
        self._pointer = pointer
        self._literal = literal
        self._templates: dict[bytes, Template] = {}

    def body(self, call: Call, context: Context) -> bytes:
        """The body for ``call``; raises RenderError if there is no such file, whose name is not told."""
        data = self._files.get(self._name.render(call, context))
        if data is None:
            raise RenderError(f"{self._pointer}: there is no such file in __files.")
        if self._literal or b"{{" not in data:
            return data
        template = self._template(data)
        return data if template is None else template.render(call, context).encode()

    def _template(self, data: bytes) -> "Template | None":
        """``data`` as a template; None if it is no text."""
        from oagw.templates.compiled import compile

        found = self._templates.get(data)
        if found is not None:
            return found
        if len(data) > _MAX_SIZE:
            raise RenderError(f"{self._pointer}: the template in the file has more than {_MAX_SIZE} bytes.")
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
