"""What a texted word means: STOP, START, HELP, a list's own word, a wish in free text, or nothing that we know."""

from app.domain.keywords.classify import classify
from app.domain.keywords.normalise import squeeze
from app.domain.keywords.outcomes import MATCHER_VERSION, Decision, Outcome
from app.domain.keywords.tables import LANGUAGES

__all__ = ["LANGUAGES", "MATCHER_VERSION", "Decision", "Outcome", "classify", "squeeze"]
