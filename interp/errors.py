"""The one exception that means "the user can fix this"."""


class InterpError(Exception):
    """A mistake that the user can mend: its message is one line that says what was expected, what came, and what to do.

    The command lines print it and exit with 2; anything else that escapes is a defect of this project.
    """
