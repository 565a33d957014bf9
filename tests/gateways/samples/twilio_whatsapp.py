"""What Twilio says about WhatsApp: as about SMS, with `whatsapp:` before each address and codes of its own."""

from dataclasses import replace

from app.domain.messages import ErrorKind
from tests.gateways.samples import twilio
from tests.gateways.samples.twilio import failure, signed

STOP = {**twilio.STOP, "From": "whatsapp:+12025550123", "To": "whatsapp:+12025550100"}

SAMPLE = replace(
    twilio.SAMPLE,
    name="twilio_whatsapp",
    wrong_settings=[*twilio.SAMPLE.wrong_settings, ({"content_sid": "MG1"}, "HX")],
    addresses=["+12025550123", "+447700900123", "US.90071992547"],
    failures=[
        *twilio.SAMPLE.failures,
        (failure(400, 63016), ErrorKind.WINDOW_CLOSED),
        (failure(400, 63049), ErrorKind.PREFERENCE_CAP),
        (failure(400, 63024), ErrorKind.INVALID),
        (failure(400, 63014), ErrorKind.BLOCKED),
        (failure(429, 63018), ErrorKind.RATE_LIMITED),
        (failure(400, 63038), ErrorKind.QUOTA),
        (failure(400, 63041), ErrorKind.CONFIG),
        *((failure(400, code), ErrorKind.CONTENT) for code in (21655, 21656, 63013, 63027, 63028)),
    ],
    stop=signed(STOP),
    tampered=signed(STOP, token="f" * 32),
)
