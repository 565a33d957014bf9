"""What people answered to a broadcast, one by one, as a file."""

from flask import Response, stream_with_context
from flask.typing import ResponseReturnValue

from app.desk.access import allow, room
from app.desk.reading import broadcast_or_404
from app.services.answers import answers_csv
from app.storage.models.accounts import Role

answers = room("answers", __name__)


@answers.get("/broadcasts/<int:broadcast_id>/answers.csv")
@allow(Role.ADMIN)
def download(broadcast_id: int) -> ResponseReturnValue:
    """Who pressed what last; with full numbers, hence for admins."""
    broadcast_or_404(broadcast_id)
    headers = {"Content-Disposition": f'attachment; filename="answers-{broadcast_id}.csv"'}
    return Response(stream_with_context(answers_csv(broadcast_id)), mimetype="text/csv", headers=headers)
