"""Where deliveries arrive and are kept: a folder or S3, one interface (`deliveries.Landing`)."""

from movies_platform.landing.deliveries import Landing
from movies_platform.resources.settings import settings


def open_landing() -> Landing:
    """The landing zone that the settings name."""
    place = settings().landing
    if "://" in place:
        from movies_platform.landing.s3 import S3Landing

        return S3Landing(place)
    from movies_platform.landing.folder import FolderLanding

    return FolderLanding(place)
