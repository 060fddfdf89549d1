"""The one exception that means "the user can fix this"."""


class InterpError(Exception):
    """A mistake that the user can mend: its message is one line that says what was expected, what came, and what to do.

    The command lines print it and exit with 2; anything else that escapes is a defect of this project.
    """


class WriteError(InterpError):
    """Something cannot be written: the disk is full, or the place is not ours. It says nothing of what was to be written."""


def one_line(text: str, limit: int = 1200) -> str:
    """Text that may come from a file, fit for one line of a terminal: all printable, at most ``limit`` characters."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= limit else line[: limit - 1] + "…"
