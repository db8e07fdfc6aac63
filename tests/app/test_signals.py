"""Signals tell when their receivers change."""

from groundwire.app import signals


def test_signals_are_made_once_for_each_name() -> None:
    namespace = signals.Namespace()

    assert namespace.signal("mine", "what it is") is namespace.signal("mine")
    assert "what it is" == namespace.signal("mine").__doc__


def test_connecting_and_disconnecting_is_told() -> None:
    told: list[int] = []
    signal = signals.Signal("told")
    listener = lambda: told.append(1)  # noqa: E731
    signals.on_receivers_changed.append(listener)

    def receive(sender: object) -> None:
        told.append(2)

    try:
        signal.connect(receive)
        signal.send(None)
        signal.disconnect(receive)
        signal.send(None)
    finally:
        signals.on_receivers_changed.remove(listener)

    assert [1, 2, 1] == told


def test_only_signals_of_an_exchange_keep_it_from_the_short_path() -> None:
    def receive(sender: object, **values: object) -> None:
        """Do nothing."""

    with signals.message_flashed.connected_to(receive):
        assert not signals.any_receivers()
    with signals.request_started.connected_to(receive):
        assert signals.any_receivers()
