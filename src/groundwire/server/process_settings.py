"""What an operator can set about the processes that serve: how many, as whom, and when they are replaced."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How the supervisor runs its workers. What each worker does is `ServerSettings`."""

    workers: int = 1
    """How many processes serve; 0 means one for each processor this process may use."""

    max_requests: int = 0
    """A worker is replaced after this many requests, give or take a tenth, so that not all are at once. 0: never."""

    max_rss_bytes: int = 0
    """A worker that holds more memory (resident set) is replaced. 0: never."""

    start_seconds: float = 60.0
    """How long a worker may take from its start until it serves. Beyond: its stack is logged, and it is killed."""

    heartbeat_seconds: float = 30.0
    """How long a worker's event loop may not turn (2 s at least); then it is killed, its stack logged, and replaced."""

    fd: int | None = None
    """A descriptor that is listening already, inherited from who started this process."""

    pid: str | None = None
    """A file for the supervisor's process id."""

    user: str | None = None
    """Name or number of the user workers run as; the sockets and the log are opened before."""

    group: str | None = None
    """Name or number of the group workers run in; by default the user's."""

    control: str | None = None
    """Path of a Unix socket, for this user only, by which ``groundwire ctl`` asks and commands."""

    admin: str | None = None
    """``HOST:PORT``, a port of loopback, or the path of a Unix socket, where /-/metrics, /-/health and /-/ready are."""

    reload: bool | None = None
    """Restart the program when its files change: for development. By default in debug mode."""

    reload_include: tuple[str, ...] = ()
    """Another file, folder or pattern to watch, such as templates or "*.toml". May be repeated."""

    reload_exclude: tuple[str, ...] = ()
    """A pattern of files not to watch. May be repeated."""

    reload_seconds: float = 0.25
    """How often files are looked at, where watchfiles is not installed."""
