"""The lab's failures, each one line that says which thing, what is wrong and what to do."""


class LabError(Exception):
    """Base of all that ends a command with a message instead of a traceback."""


class CommandFailedError(LabError):
    """A program that the lab ran answered with an exit status other than 0."""

    def __init__(self, argv: list[str], status: int, output: str) -> None:
        self.status = status
        self.output = output
        last = "\n".join(f"    {line}" for line in output.strip().splitlines()[-15:])
        super().__init__(f"{' '.join(argv[:6])}{' ...' if len(argv) > 6 else ''} exited with {status}:\n{last}")
