"""The catalogue of helpers: those that are supported, and those of WireMock that are not, with the reason."""

from dataclasses import dataclass

from oagw.templates.helpers import data, dates, json_edit, logic, random_values, texts
from oagw.templates.run import Helper

# What a helper does with a block: it decides whether the body is rendered, or takes the rendered body as its
# first or last argument, or takes the bodies that are rendered for each item.
CONDITION, BODY, LAST, ITEMS = "condition", "body", "last", "items"


@dataclass(frozen=True, slots=True)
class HelperEntry:
    """A helper, its smallest number of arguments, its options, and what it does with a block.

    ``library`` is a module that is slow to import, which is done when a template with the helper is compiled.
    """

    helper: Helper
    least: int = 1
    options: frozenset[str] = frozenset()
    block: str = ""
    library: str = ""


def _entry(
    helper: Helper, least: int = 1, options: str = "", block: str = "", library: str = ""
) -> HelperEntry:
    return HelperEntry(helper, least, frozenset(options.split()), block, library)


_DATE = "format offset timezone"
_PATHS = "oagw.matching.jsonpath"

HELPERS: dict[str, HelperEntry] = {
    **{
        name: _entry(helper, options="yes no", block=CONDITION)
        for name, helper in {
            "eq": logic.eq,
            "neq": logic.neq,
            "gt": logic.gt,
            "gte": logic.gte,
            "lt": logic.lt,
            "lte": logic.lte,
            "and": logic.both,
            "or": logic.either,
            "not": logic.negated,
        }.items()
    },
    "contains": _entry(logic.contains, block=CONDITION),
    "matches": _entry(logic.matches, block=CONDITION, library="regex"),
    "regexExtract": _entry(logic.regex_extract, options="default", library="regex"),
    "math": _entry(logic.math),
    "jsonPath": _entry(data.json_path, options="default", library=_PATHS),
    "parseJson": _entry(data.parse_json, block=BODY),
    "toJson": _entry(data.to_json),
    "formatJson": _entry(data.format_json, options="format", block=BODY),
    "jsonMerge": _entry(json_edit.json_merge, options="removeNulls", block=LAST),
    "jsonRemove": _entry(json_edit.json_remove, library=_PATHS),
    "jsonArrayAdd": _entry(
        json_edit.json_array_add, options="maxItems flatten jsonPath", block=LAST, library=_PATHS
    ),
    "jsonSort": _entry(json_edit.json_sort, options="order nulls", library=_PATHS),
    "formData": _entry(data.form_data, options="urlDecode"),
    "array": _entry(data.array, 0),
    "arrayAdd": _entry(data.array_add, 2, "position"),
    "arrayRemove": _entry(data.array_remove, 1, "position"),
    "range": _entry(data.range_between),
    "size": _entry(data.size),
    "lookup": _entry(data.lookup, 2),
    "val": _entry(data.val, options="or assign"),
    "assign": _entry(data.assign, 2, block=BODY),
    "now": _entry(dates.now, 0, _DATE),
    "date": _entry(dates.date, 0, _DATE),
    "parseDate": _entry(dates.parse_date, options="format"),
    "truncateDate": _entry(dates.truncate_date, 2),
    "randomValue": _entry(random_values.random_value, 0, "length type uppercase"),
    "randomInt": _entry(random_values.random_int, 0, "lower upper"),
    "randomDecimal": _entry(random_values.random_decimal, 0, "lower upper"),
    "pickRandom": _entry(random_values.pick_random, 1, "count"),
    "hostname": _entry(texts.hostname, 0),
    "upper": _entry(texts.upper),
    "lower": _entry(texts.lower),
    "capitalize": _entry(texts.capitalize, options="fully"),
    "capitalizeFirst": _entry(texts.capitalize_first),
    "trim": _entry(texts.trim, block=BODY),
    "replace": _entry(texts.replace, 3),
    "substring": _entry(texts.substring, 2),
    "cut": _entry(texts.cut),
    "defaultIfEmpty": _entry(texts.default_if_empty, 2),
    "join": _entry(texts.join, 2, "prefix suffix"),
    "arrayJoin": _entry(texts.array_join, 2, "prefix suffix", block=ITEMS),
    "ljust": _entry(texts.ljust, options="size pad"),
    "rjust": _entry(texts.rjust, options="size pad"),
    "base64": _entry(texts.base64, options="decode padding", block=BODY),
    "urlEncode": _entry(texts.url_encode, options="decode"),
    "numberFormat": _entry(texts.number_format, options="roundingMode"),
}

_LEAKS = ("systemValue", "secret", "env")
_UNSUPPORTED = """
    xPath soapXPath formatXml split log include embedded block
    partial precompile i18n i18nJs center slugify stringFormat stripTags abbreviate wordWrap yesno dateFormat
    isEven isOdd stripes
"""

# WireMock's helpers that are not supported, with the reason.
REFUSED = {
    **{name: f"the helper {name!r} is refused: it would reveal data about the machine" for name in _LEAKS},
    **{name: f"the helper {name!r} is not supported" for name in _UNSUPPORTED.split()},
}
