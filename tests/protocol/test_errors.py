from groundwire.protocol.errors import ProtocolError


def test_error_tells_rule_and_byte() -> None:
    error = ProtocolError("It is wrong.", section="RFC 9112 §5.1", offset=27)

    assert "It is wrong. (RFC 9112 §5.1, byte 27)" == str(error)
    assert ("It is wrong.", "RFC 9112 §5.1", 27, 400) == (
        error.message,
        error.section,
        error.offset,
        error.status,
    )
