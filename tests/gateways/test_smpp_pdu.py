"""SMPP units byte by byte, written by hand from the tables of the specification; `tests/real` compares with Kannel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gateways.smpp_pdu import (
    BadPdu,
    Bind,
    Command,
    Message,
    Party,
    Pdu,
    all_pdus,
    message_id,
    next_pdu,
)

# 4.1.1: system_id, password, system_type, interface_version, addr_ton, addr_npi, address_range
BIND = bytes.fromhex(
    "0000002f 00000002 00000000 00000001"
    "534d50503354455354 00 7365637265743038 00 5355424d49543100 34 01 01 00"
)
# 4.4.1: service_type, source, destination, esm_class, protocol_id, priority, schedule, validity, registered_delivery,
# replace, data_coding, default message, length, text; then the optional field user_message_reference
SUBMIT = bytes.fromhex(
    "00000044 00000004 00000000 00000005"
    "00 0101 3132303235353530313830 00 0101 343437373030393030303031 00"
    "000000 00 00 01 00 00 00 02 4869 0204 0002 0007 0424 0000"
)
PEOPLE = Party(1, 1, "12025550180"), Party(1, 1, "447700900001")


def test_a_bind_is_written_and_read_as_the_specification_lays_it_out() -> None:
    bind = Bind("SMPP3TEST", "secret08", "SUBMIT1", 0x34, 1, 1)

    assert Pdu(Command.BIND_TRANSMITTER, 0, 1, bind.encode()).encode() == BIND
    assert Bind.decode(all_pdus(BIND)[0].body) == bind
    assert "secret08" not in repr(bind)


def test_a_message_is_written_and_read_as_the_specification_lays_it_out() -> None:
    message = Message(*PEOPLE, b"Hi", registered_delivery=1, options={0x0204: b"\0\7", 0x0424: b""})

    assert Pdu(Command.SUBMIT_SM, 0, 5, message.encode()).encode() == SUBMIT
    assert Message.decode(all_pdus(SUBMIT)[0].body) == message


parties = st.builds(Party, st.integers(0, 6), st.integers(0, 18), st.text("0123456789", max_size=20))
messages = st.builds(
    Message,
    parties,
    parties,
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 1),
    st.dictionaries(st.integers(0, 65535), st.binary(max_size=300), max_size=4),
)


@given(messages)
def test_what_is_written_reads_the_same(message: Message) -> None:
    assert Message.decode(message.encode()) == message


@given(st.binary(max_size=300))
def test_any_body_is_a_message_or_said_to_be_none(body: bytes) -> None:
    try:
        found = Message.decode(body)
    except BadPdu:
        return
    assert isinstance(found.payload, bytes)


def test_a_unit_that_is_not_whole_yet_waits_and_one_of_an_impossible_length_is_refused() -> None:
    assert next_pdu(SUBMIT[:20]) == (None, 0)
    assert [len(all_pdus(SUBMIT + BIND)), next_pdu(SUBMIT + BIND)[1]] == [2, len(SUBMIT)]
    for length in (0, 15, 70_001):
        with pytest.raises(BadPdu, match=f"{length} bytes"):
            next_pdu(length.to_bytes(4) + SUBMIT[4:])
    with pytest.raises(BadPdu, match="not whole"):
        all_pdus(SUBMIT + BIND[:-1])


def test_an_id_ends_at_its_zero_and_a_refusal_may_have_none() -> None:
    assert [message_id(body) for body in (b"A7\0", b"A7", b"\0", b"")] == ["A7", "A7", "", ""]
