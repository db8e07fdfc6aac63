"""Which C functions cannot wait, and what a run called that is not one of them.

A function that cannot wait does not need a thread. Python code waits only through C functions, so a run is watched for
those: `sys.setprofile` tells of each C function that Python code calls. Those listed here compute and return; any
other may wait.

What the profiler does not see, and what is done about it:

* ``with lock:`` calls the manager's methods without telling. The code of each function that runs is looked through once
  for `with` on a plain name or attribute; unless that names something with Python methods, it may wait.
* Iterating (a file, a cursor) and C functions called from C (``map(sleep, …)``). What is iterated was opened by a call
  that is seen, and what in fact waits shows as a voluntary context switch or as a long run.
"""

import builtins
import dis
import sys
from time import thread_time
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final, cast

try:
    from resource import RUSAGE_THREAD, getrusage
except ImportError:  # macOS has no RUSAGE_THREAD, Windows no resource at all

    def voluntary_switches() -> int:
        """Return 0: this system does not tell."""
        return 0

else:

    def voluntary_switches() -> int:
        """Return how often this thread has given the processor up by itself, to wait."""
        return getrusage(RUSAGE_THREAD).ru_nvcsw


MODULES: Final = frozenset(
    {
        *(
            "_abc",
            "_ast",
            "_bisect",
            "_blake2",
            "_codecs",
            "_collections",
            "_collections_abc",
            "_contextvars",
        ),
        *("_csv", "_datetime", "_decimal", "_elementtree", "_functools", "_hashlib", "_heapq"),
        *(
            "_json",
            "_locale",
            "_md5",
            "_operator",
            "_opcode",
            "_random",
            "_sha1",
            "_sha2",
            "_sha256",
            "_sha3",
        ),
        *(
            "_sha512",
            "_sre",
            "_stat",
            "_statistics",
            "_string",
            "_struct",
            "_tracemalloc",
            "_typing",
            "_uuid",
        ),
        *(
            "_warnings",
            "_weakref",
            "_zoneinfo",
            "array",
            "atexit",
            "binascii",
            "builtins",
            "cmath",
            "datetime",
        ),
        *(
            "decimal",
            "errno",
            "gc",
            "hashlib",
            "itertools",
            "json",
            "math",
            "operator",
            "re",
            "string",
            "struct",
        ),
        *("sys", "unicodedata", "weakref", "zlib"),
        *("markupsafe._speedups", "msgspec", "msgspec._core", "blinker", "cython_runtime"),
    }
)
"""Modules whose C functions compute and return, but for those in `WAITING`."""

FUNCTIONS: Final = frozenset(
    {
        *(
            ("time", name)
            for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter")
        ),
        *(
            ("time", name)
            for name in ("perf_counter_ns", "thread_time", "thread_time_ns", "process_time")
        ),
        *(
            ("time", name)
            for name in (
                "localtime",
                "gmtime",
                "mktime",
                "strftime",
                "strptime",
                "asctime",
                "ctime",
            )
        ),
        *(("posix", name) for name in ("fspath", "getpid", "urandom", "fsencode", "fsdecode")),
        *(("nt", name) for name in ("fspath", "getpid", "urandom")),
        # What `os.path` is made of in newer Pythons; these look at the text of a path only.
        *(("posix", name) for name in ("_path_normpath", "_path_splitroot", "_path_splitroot_ex")),
        *(("nt", name) for name in ("_path_normpath", "_path_splitroot", "_path_splitroot_ex")),
        *(("_thread", name) for name in ("get_ident", "get_native_id", "allocate_lock")),
        *(("_asyncio", name) for name in ("get_running_loop", "_get_running_loop", "current_task")),
        *(("_io", name) for name in ("text_encoding",)),
        *(("_imp", name) for name in ("lock_held",)),
    }
)
"""Functions of modules where others may wait."""

WAITING: Final = frozenset(
    {
        *(
            ("builtins", name)
            for name in ("open", "input", "print", "breakpoint", "exec", "eval", "compile")
        ),
        *(("builtins", name) for name in ("__import__", "__build_class__")),
        ("sys", "breakpointhook"),
        ("gc", "collect"),
    }
)
"""Functions of the modules above that may wait, or run what may."""

TYPE_MODULES: Final = frozenset(
    {
        *(
            "builtins",
            "collections",
            "datetime",
            "decimal",
            "itertools",
            "functools",
            "re",
            "types",
            "operator",
        ),
        *(
            "_contextvars",
            "_json",
            "_random",
            "_struct",
            "_hashlib",
            "_blake2",
            "_md5",
            "_sha1",
            "_sha2",
        ),
        *(
            "_sha256",
            "_sha3",
            "_sha512",
            "array",
            "zlib",
            "uuid",
            "weakref",
            "_weakref",
            "zoneinfo",
            "string",
        ),
        *(
            "_csv",
            "_elementtree",
            "msgspec",
            "msgspec._core",
            "msgspec.json",
            "msgspec.msgpack",
            "markupsafe",
        ),
        *(
            "markupsafe._speedups",
            "_collections",
            "_abc",
            "_bisect",
            "_functools",
            "unicodedata",
            "fractions",
        ),
        *("_operator", "_sre", "random", "struct", "hashlib", "contextvars"),
    }
)
"""Modules whose types have no C method that waits."""

TYPES: Final = frozenset({("_io", "StringIO"), ("_io", "BytesIO"), ("_thread", "_local")})
"""Types of modules where others' methods may wait."""

LOADING: Final = (
    "<frozen importlib",
    *("jinja2/loaders.py", "jinja2\\loaders.py"),
    *("encodings/__init__.py", "encodings\\__init__.py"),
)
"""Files, by a part of their name, whose code loads other code. What it does happens once."""

BRIEF_LOCKS: Final = ("jinja2/utils.py", "jinja2\\utils.py")
"""Files, by the end of their name, whose locks are held for a few operations on a dict: nobody waits for one."""


class Watch:
    """Takes note of what one run in this thread calls. Use it in a `with` block, one for each run."""

    def __init__(self) -> None:
        self.blocking: str | None = None
        """The first thing called that may wait, in words; None when there was none."""

        self.loading = False
        """Whether code or a template was loaded, so that the next run will do other things."""

        self.complete = False
        """Whether the whole run was seen: not if another profiler was there."""

        self.seconds = 0.0
        """Of the processor's time."""

        self.switches = 0
        self._events = 0
        self._loading_frame: FrameType | None = None
        self._started = 0.0
        self._switches_before = 0

    def __enter__(self) -> "Watch":
        if sys.getprofile() is None:
            self.complete = True
            self.go_on()
        return self

    def __exit__(self, *error: object) -> None:
        self.pause()

    def go_on(self) -> None:
        """Begin, or begin again after `pause`."""
        if self.complete:
            self._switches_before = voluntary_switches()
            self._started = thread_time()
            sys.setprofile(self._note)

    def pause(self) -> None:
        """Take no note of what this thread does until `go_on`."""
        if self.complete:
            sys.setprofile(None)
            # PERF: an event costs about 0.4 µs; without that a run of 1,000 calls would seem 0.4 ms longer.
            self.seconds += thread_time() - self._started - self._events * 4e-7
            self.switches += voluntary_switches() - self._switches_before
            self._events = 0

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        self._events += 1
        if self._loading_frame is not None:
            if event == "return" and frame is self._loading_frame:
                self._loading_frame = None
            return
        if event == "c_call":
            if self.blocking is None and not (
                may_not_wait(argument) or _leaves_brief_lock(frame, argument)
            ):
                self.blocking = f"it called {describe(argument)}"
        elif event == "call":
            name = frame.f_code.co_filename
            if any(part in name for part in LOADING):
                self.loading = True
                self._loading_frame = frame
        elif event == "return" and self.blocking is None:
            managers = _managers.get(frame.f_code)
            if managers is None:
                started = thread_time()
                managers = hidden_managers(frame.f_code)
                self._started += thread_time() - started  # which is no time of the run
            if managers:
                self.blocking = _waiting_manager(frame, managers)


_verdicts: dict[Any, bool] = {}
"""What is known of module functions and of (type, method name). Entries are only ever added, each by one operation."""


def may_not_wait(function: Any) -> bool:
    """Tell whether a C function is known to compute and return."""
    owner = owner_of(function)
    name: str = getattr(function, "__name__", "")
    if owner is None or type(owner) is ModuleType:
        key: Any = (getattr(function, "__module__", None) or getattr(owner, "__name__", ""), name)
    else:
        key = (owner if isinstance(owner, type) else type(owner), name)
    verdict = _verdicts.get(key)
    if verdict is None:
        verdict = _function_verdict(*key) if isinstance(key[0], str) else _method_verdict(*key)
        _verdicts[key] = verdict
    return verdict


def _leaves_brief_lock(frame: FrameType, function: Any) -> bool:
    """Tell whether `frame`, of one of `BRIEF_LOCKS`, calls a method of a lock."""
    if not frame.f_code.co_filename.endswith(BRIEF_LOCKS):
        return False
    return type(owner_of(function)).__module__ == "_thread"


def owner_of(function: Any) -> Any:
    """Return what a C function is a method of: an object, a class, or its module."""
    owner = getattr(function, "__self__", None)
    if owner is None:
        owner = getattr(function, "__objclass__", None)
    if owner is None and getattr(function, "__module__", None) is None:
        # A static method, such as `str.maketrans`, knows its class by name only.
        owner = getattr(builtins, getattr(function, "__qualname__", "").partition(".")[0], None)
    return owner


def _function_verdict(module: str, name: str) -> bool:
    if (module, name) in WAITING:
        return False
    return module in MODULES or (module, name) in FUNCTIONS


def _method_verdict(owner: type, name: str) -> bool:
    if any((base.__module__, base.__qualname__) in TYPES for base in owner.__mro__):
        return True
    for base in owner.__mro__:
        method = base.__dict__.get(name)
        # A class written in Python may have a method that calls this one, of a class above it.
        if method is not None and not isinstance(method, FunctionType):
            return issubclass(base, BaseException) or base.__module__ in TYPE_MODULES
    # A method of a metaclass, such as `type.mro`.
    return name in type.__dict__ or name in object.__dict__


def describe(function: Any) -> str:
    """Return the name of a C function as a reader of the program knows it."""
    owner = owner_of(function)
    name = getattr(function, "__qualname__", repr(function))
    if owner is None or type(owner) is ModuleType:
        module = getattr(function, "__module__", None) or getattr(owner, "__name__", "")
        if module == "_io":  # so it is called from Python 3.12 on; the documentation says `io.open`
            module = "io"
        return name if module == "builtins" else f"{module}.{name}"
    kind = owner if isinstance(owner, type) else type(owner)
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


# `with` on a plain name

Manager = tuple[str, ...]
"""How a context manager is named: a variable, then attributes."""

_managers: dict[CodeType, tuple[Manager | None, ...]] = {}


def hidden_managers(code: CodeType) -> tuple[Manager | None, ...]:
    """Return the context managers of `code` that are not made by a call in the `with` line; None: cannot be told."""
    found = _managers.get(code)
    if found is None:
        brief = code.co_filename.endswith(BRIEF_LOCKS)
        found = _managers[code] = () if brief else tuple(_find_managers(code))
    return found


def _find_managers(code: CodeType) -> "list[Manager | None]":
    found: list[Manager | None] = []
    loads: list[str] = []
    certain = False
    for instruction in dis.get_instructions(code):
        name = instruction.opname
        if name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL"):
            if loads:
                found.append(tuple(loads))
            elif not certain and name != "LOAD_SPECIAL":
                found.append(None)
            loads, certain = [], False
        elif (
            name.startswith("LOAD_") and "ATTR" not in name and isinstance(instruction.argval, str)
        ):
            loads, certain = [instruction.argval], False
        elif name == "LOAD_ATTR" and loads:
            loads.append(instruction.argval)
        elif name in ("CACHE", "COPY", "SWAP", "NOP", "RESUME", "EXTENDED_ARG"):
            continue
        else:
            # The manager a call returns was made by that call, which the profiler saw or which is Python code.
            loads, certain = [], name.startswith("CALL") or name == "PRECALL"
    return found


def _waiting_manager(frame: FrameType, managers: "tuple[Manager | None, ...]") -> str | None:
    for manager in managers:
        if manager is None:
            return f"`with` in {frame.f_code.co_qualname} is on something that could not be seen"
        value = _look_up(frame, manager)
        kind = cast("Any", type(value))
        enter: Any = getattr(kind, "__enter__", None) or getattr(kind, "__aenter__", None)
        if not isinstance(enter, FunctionType):
            return f"it used `with {'.'.join(manager)}`"
    return None


def _look_up(frame: FrameType, manager: Manager) -> Any:
    first, *rest = manager
    value: Any = frame.f_locals.get(first, frame.f_globals.get(first))
    for name in rest:
        value = getattr(value, "__dict__", {}).get(name)
    return value
