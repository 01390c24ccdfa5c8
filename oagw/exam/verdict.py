"""The verdicts of the exam: on a rule, and on a client in a situation. Standard library only."""

from typing import Literal

Verdict = Literal["passed", "failed", "not judged"]

PASSED: Verdict = "passed"
FAILED: Verdict = "failed"
NOT_JUDGED: Verdict = "not judged"
