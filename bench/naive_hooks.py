"""The naive baseline for receipts: a Flask route that checks the signature and commits each receipt by itself."""

import os

from flask import Flask, Response, abort, request
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from app.domain.messages import DeliveryRef
from app.domain.statuses import DeliveryStatus
from app.factory import create_core
from app.storage.database import transaction
from app.storage.models import Delivery


def create_app() -> Flask:
    """As a tutorial would write it: the product's tables, the SDK's validator, the ORM, one commit a receipt."""
    app = create_core()
    validator = RequestValidator(os.environ["BENCH_TOKEN"])

    @app.post("/hooks/<name>")
    def receipt(name: str) -> Response:
        url = f"{os.environ['PUBLIC_URL']}{request.full_path}"
        if not validator.validate(url, request.form.to_dict(), request.headers["X-Twilio-Signature"]):
            abort(403)
        ref = DeliveryRef.parse(request.args["d"])
        with transaction() as session:
            found = select(Delivery).where(
                Delivery.broadcast_id == ref.broadcast_id, Delivery.subscriber_id == ref.subscriber_id
            )
            delivery = session.scalars(found).one()
            if request.form["MessageStatus"] == "delivered":
                delivery.status = DeliveryStatus.DELIVERED.value
        return Response("<Response/>", content_type="text/xml")

    @app.get("/health")
    def health() -> str:
        return "ok"

    return app
