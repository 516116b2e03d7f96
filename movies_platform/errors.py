"""Every error the platform raises on purpose. Anything else that escapes is a fault of the
infrastructure or a bug: it is raised as it is, retried, and moves no delivery."""

from functools import partial

ENDED_BY_SIGNAL = 143  # exit status, as shells give it after SIGTERM
ENDED_BY_CTRL_C = 130


class MoviesPlatformError(Exception):
    """A problem that a person can put right; the message says what, where and how."""


class SettingsError(MoviesPlatformError):
    """A setting cannot be understood."""


class DeliveryRejected(MoviesPlatformError):  # a verdict on data, named as the operators say it
    """A delivery cannot be used.

    `file` and `record` (1-based, None where it is about the whole file) say where, `remedy` what
    the provider has to do.
    """

    def __init__(self, problem: str, *, remedy: str, file: str | None = None, record: int | None = None):
        self.problem, self.remedy, self.file, self.record = problem, remedy, file, record
        super().__init__(str(self))

    def __reduce__(self) -> tuple[object, tuple[()]]:
        """How another process makes it."""
        again = partial(type(self), self.problem, remedy=self.remedy, file=self.file, record=self.record)
        return again, ()

    def __str__(self) -> str:
        where = ", ".join([*([self.file] if self.file else []), *([f"record {self.record}"] if self.record else [])])
        return f"{where + ': ' if where else ''}{self.problem}. {self.remedy}"


class NoDelivery(MoviesPlatformError):
    """A month was asked for that nobody has delivered."""


class MonthIncomplete(MoviesPlatformError):
    """The parsed tables of a month are of another delivery than its raw tables, because a run was killed."""


class DeliveryChanged(MoviesPlatformError):
    """A file of a delivery was replaced while it was read; reading it again reads the new one."""


class LandingDamaged(MoviesPlatformError):
    """A note or a file in the landing zone is not what the platform wrote there."""


class TransferBroken(MoviesPlatformError):
    """An object of the landing zone does not come through; nothing of it was used."""


class WarehouseBusy(MoviesPlatformError):
    """Another process is writing the warehouse and did not end in time."""


class WarehouseDamaged(MoviesPlatformError):
    """The file of the warehouse is no database any more; all that was in it can be computed again."""


class WarehouseOutdated(MoviesPlatformError):
    """The warehouse was made by an earlier version of the platform; all that is in it can be computed again."""


class ContractViolation(MoviesPlatformError):
    """A table that was about to be stored is not what its contract declares."""


class UnknownTable(MoviesPlatformError):
    """A table was asked for that no contract declares, or that nobody has computed yet."""


class NoSnapshot(MoviesPlatformError):
    """A snapshot was asked for before the first was published."""


class SnapshotRefused(MoviesPlatformError):
    """The tables are not fit to be published: out of date, empty, much smaller than before, or failing a check."""


class TablesOutdated(SnapshotRefused):
    """The tables do not show what was delivered since: they are computed next, and published then."""


class SnapshotDamaged(MoviesPlatformError):
    """A file of a snapshot is not what its manifest says."""


class LoadFailed(MoviesPlatformError):
    """A database could not be loaded; it is as it was."""


class QueryFailed(MoviesPlatformError):
    """A question to a snapshot cannot be answered: it is no SQL, names no table, or wants to change something."""
