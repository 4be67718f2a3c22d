"""Errors that the command line shows as one line, without a traceback."""


class AutograderError(Exception):
    """Report a problem that the person at the keyboard can fix.

    Parameters
    ----------
    where : str
        The file, folder or option at fault.
    found : str
        What was found there.
    remedy : str
        What was expected, or the command that fixes it.
    """

    def __init__(self, where: str, found: str, remedy: str) -> None:
        super().__init__(f"{where}: {found}; {remedy}")
        self.where = where
        self.found = found
        self.remedy = remedy


class ConfigError(AutograderError):
    """A course, assignment or option file is missing or malformed."""


class IntakeError(AutograderError):
    """The folder of submissions cannot be graded at all."""


class SuiteError(AutograderError):
    """A suite does not collect, or does not fit its assignment."""


class SandboxError(AutograderError):
    """The machine cannot confine student code as the requested level needs."""


class EngineError(AutograderError):
    """A grader or zygote process could not be started or kept alive."""


class ReleaseError(AutograderError):
    """The student release cannot be built, or must not be published."""


class ServerError(AutograderError):
    """A submission server cannot be reached, refuses what it is asked, or has no such thing."""
