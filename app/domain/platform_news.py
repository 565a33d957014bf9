"""What a platform tells about ourselves: a template that it took or gave back, a limit, our standing, a ban."""

from dataclasses import dataclass
from enum import StrEnum


class News(StrEnum):
    """What has become of something of ours on a platform.

    TEMPLATE_LOST: may not be sent now (paused, rejected, disabled). TEMPLATE_BACK: may be sent again. LIMITED: we may
    write to fewer people. QUALITY: people or the platform complain of us. CLOSED: the account may not write to people.
    WELL: what was said before of the same subject holds no more.
    """

    TEMPLATE_LOST = "template_lost"
    TEMPLATE_BACK = "template_back"
    LIMITED = "limited"
    QUALITY = "quality"
    CLOSED = "closed"
    WELL = "well"


@dataclass(frozen=True)
class PlatformNews:
    """One piece of news about a sender.

    `subject` is what it is about; later news of the same subject takes its place. Of a template it is `name:language`.
    `why` are the platform's own words. `usual`: the template is the one that the sender's settings name.
    """

    news: News
    subject: str
    why: str
    usual: bool = False
