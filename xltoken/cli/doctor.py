"""The command ``xltoken doctor``."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer

from xltoken.cli.frame import DONE, FINDINGS, Outcome, command, console

if TYPE_CHECKING:
    from xltoken.doctor import Finding

app = typer.Typer()

_WIDTH: Final = 100
_VERDICT: Final = 10
_PART: Final = 20


@command(app, "doctor", with_catalog=False)
def doctor() -> Outcome:
    """Say what is installed, what is missing, and what to do.

    Example: xltoken doctor
    """
    from xltoken.doctor import examine, ready

    findings = examine()
    data = {"checks": [finding.as_dict() for finding in findings], "ready": ready(findings)}

    def show() -> None:
        for line in lines(findings):
            console().print(line)
        console().print(ready(findings))

    return Outcome(data, show, FINDINGS if any(f.failing for f in findings) else DONE)


def lines(findings: "Sequence[Finding]") -> Iterator[str]:
    """Findings by group for people, in 100 columns; what can be typed is never broken."""
    group = ""
    for finding in findings:
        if finding.group != group:
            group = finding.group
            yield group
        head = f"  {finding.verdict:{_VERDICT}}{finding.part:{_PART}}"
        yield from textwrap.wrap(
            finding.found,
            _WIDTH,
            initial_indent=head,
            subsequent_indent=" " * len(head),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, step in enumerate(filter(None, finding.next_step.split(", then "))):
            yield f"{' ' * len(head)}{'then' if number else 'do'}: {step}"
    yield ""
