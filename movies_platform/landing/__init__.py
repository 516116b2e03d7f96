"""Where deliveries arrive and are kept: a folder or S3 (`deliveries.Landing`)."""

from movies_platform.landing.deliveries import Landing
from movies_platform.settings import settings


def open_landing() -> Landing:
    """The landing zone that the settings name."""
    place = settings().landing
    if "://" in place:
        from movies_platform.landing.s3 import Bucket

        return Landing(Bucket(place))
    from movies_platform.landing.folder import Folder

    return Landing(Folder(place))
