"""The command line: parse, call, print. It has no logic of its own."""

from xltoken.cli.frame import main as _main


def main() -> None:
    """Run the command ``xltoken`` and exit with its code."""
    from xltoken.cli.commands import app

    _main(app)
