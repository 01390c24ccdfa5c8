"""Write the results of an exam as JUnit's XML."""

from collections.abc import Sequence
from xml.etree import ElementTree

from oagw.client.exam.results import Result
from oagw.exam.explanation import one_line, printable
from oagw.exam.verdict import NOT_JUDGED


def as_junit(results: Sequence[Result], seconds: float, stopped: str | None = None) -> bytes:
    """Return the document of ``--junit``: failed is a failure, not judged is skipped.

    If the exam was ``stopped`` before its end, an error says why.
    """
    skipped = sum(result.verdict == NOT_JUDGED for result in results)
    errors = int(stopped is not None)
    counts = {
        "tests": str(len(results) + errors),
        "failures": str(sum(result.failed for result in results)),
        "errors": str(errors),
        "skipped": str(skipped),
        "time": f"{seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "oagw-mock exam", **counts})
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {
                "classname": f"exam.{result.situation['group']}",
                "name": result.situation["name"],
                "time": f"{result.seconds:.3f}",
            },
        )
        if result.failed:
            failure = ElementTree.SubElement(
                case, "failure", {"message": result.text, "type": result.verdict}
            )
            failure.text = result.explained()
        elif result.verdict == NOT_JUDGED:
            ElementTree.SubElement(case, "skipped", {"message": result.text})
    if stopped is not None:
        attributes = {"classname": "exam", "name": "the exam was taken to its end", "time": "0.000"}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        attributes = {"message": one_line(stopped), "type": "stopped"}
        ElementTree.SubElement(case, "error", attributes).text = printable(stopped)
    xml: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml
