"""What each word does: the consent events it makes, and the one answer it gets."""

from app.services.words.act import STARTS, act_on
from app.services.words.case import IN_FORCE, Answer, Case
from app.services.words.silence import silence_for

__all__ = ["IN_FORCE", "STARTS", "Answer", "Case", "act_on", "silence_for"]
