"""The one exception that is meant for people."""


class UserError(Exception):
    """Something the user can mend.

    The message is one line: the file, key or adapter concerned, what was expected, what to do.
    Scripts print it without a traceback.
    """
