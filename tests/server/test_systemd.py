import os
import socket
from pathlib import Path

from groundwire.server.systemd import Notifier, is_passed_sockets, passed_descriptors


def test_descriptors_are_taken_by_the_process_they_are_meant_for() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    environment = {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": ""}

    assert is_passed_sockets(environment)
    assert [] == passed_descriptors(environment)
    assert {} == environment
    assert not is_passed_sockets(environment)
    os.close(reading)


def test_descriptors_of_another_process_are_left_alone() -> None:
    environment = {"LISTEN_FDS": "2", "LISTEN_PID": "1"}

    assert not is_passed_sockets(environment)
    assert [] == passed_descriptors(environment)
    # Nor are they a child's.
    assert {} == environment


def test_a_number_of_descriptors_that_is_none_is_none() -> None:
    assert [] == passed_descriptors({"LISTEN_FDS": "-1", "LISTEN_PID": str(os.getpid())})


def test_nobody_is_told_where_nobody_asks() -> None:
    environment = {"WATCHDOG_USEC": "1000000"}
    notifier = Notifier(environment)

    notifier.ready("serving")

    assert notifier.watchdog_seconds is None


def test_the_watchdog_of_another_process_is_not_fed(tmp_path: Path) -> None:
    address = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"}

    assert 3.0 == Notifier({**address, "WATCHDOG_PID": str(os.getpid())}).watchdog_seconds
    assert 3.0 == Notifier(dict(address)).watchdog_seconds
    assert Notifier({**address, "WATCHDOG_PID": "1"}).watchdog_seconds is None


def test_a_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    notifier = Notifier(environment)

    notifier.stopping()

    assert {} == environment  # it is not for what the program starts


def test_an_address_may_be_abstract() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"groundwire-test-{os.getpid()}"
        manager.bind(f"\0{name}")

        Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive()

        assert b"WATCHDOG=1" == manager.recv(100)
