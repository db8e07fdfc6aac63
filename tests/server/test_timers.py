from groundwire.server.timers import Timers


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_calls_come_in_the_order_of_their_time() -> None:
    clock, called = Clock(), []
    timers = Timers(clock)
    timers.call_in(2, lambda: called.append("second"))
    timers.call_in(1, lambda: called.append("first"))
    timers.call_in(2, lambda: called.append("third"))

    timers.run_due()
    assert [] == called
    clock.now += 1
    timers.run_due()
    assert ["first"] == called
    clock.now += 5
    timers.run_due()
    assert ["first", "second", "third"] == called


def test_what_is_cancelled_does_not_come_and_is_not_waited_for() -> None:
    clock, called = Clock(), []
    timers = Timers(clock)
    timer = timers.call_in(1, lambda: called.append(1))
    timers.call_in(3, lambda: called.append(3))

    assert timer.is_pending
    timer.cancel()

    assert not timer.is_pending
    assert 3 == timers.seconds_to_next()
    clock.now += 3.5
    assert 0 == timers.seconds_to_next()
    timers.run_due()
    assert [3] == called
    assert timers.seconds_to_next() is None


def test_a_call_may_ask_for_another() -> None:
    clock, called = Clock(), []
    timers = Timers(clock)

    def again() -> None:
        called.append(clock.now)
        timers.call_in(1, again)

    timers.call_in(0, again)
    for _ in range(3):
        timers.run_due()
        clock.now += 1

    assert [100, 101, 102] == called
