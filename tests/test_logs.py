"""Logs: no phone number in full, whatever is logged."""

from app.logs import mask_numbers


def test_phone_numbers_are_masked_wherever_they_stand() -> None:
    event = mask_numbers(None, "info", {"event": "from +12025550143 to +493023125017", "sender_id": 3})

    assert "2025550143" not in event["event"]
    assert "3023125017" not in event["event"]
    assert event["sender_id"] == 3
