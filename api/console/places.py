"""Times of appointments as they are at their place: what customers are told, and what forms read."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from crm.businesses import Profile
from knowledge.phrases import Say


class Places:
    """The places of a business, those it has left as well: appointments may still be there."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        known = [place.time_zone for place in [*profile.locations, *profile.left]]
        self.zones = sorted({profile.business.time_zone, *known})
        """Every time zone that something may be in."""

    def zone(self, location_id: int | None) -> str:
        """The time zone of a place; the business's own for what is at none."""
        place = self._profile.place(location_id)
        return place.time_zone if place else self._profile.business.time_zone

    def day(self, at: datetime, location_id: int | None) -> date:
        """The day it is there."""
        return at.astimezone(ZoneInfo(self.zone(location_id))).date()

    def named(self, say: Say, location_id: int | None) -> str:
        """ " (Valencia time)" where the business has several time zones, else nothing."""
        place = self._profile.place(location_id)
        if place is None or len(self.zones) < 2:
            return ""
        return " (" + say("{city} time", city=place.city) + ")"
