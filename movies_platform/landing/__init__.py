"""Where deliveries arrive and are kept: a folder or S3, one interface (`deliveries.Landing`)."""

from movies_platform.landing.deliveries import Landing
from movies_platform.resources.settings import settings


def open_landing() -> Landing:
    """The landing zone that the settings name."""
    from movies_platform.errors import SettingsError
    from movies_platform.landing.folder import FolderLanding

    place = settings().landing
    if "://" in place:
        raise SettingsError(f"MOVIES_LANDING={place!r}: only a folder can be a landing zone yet.")
    return FolderLanding(place)
