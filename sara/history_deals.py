"""What comes of the conversations of a seeded history: leads, bookings, quotes, tickets."""

from datetime import datetime, timedelta

from psycopg.types.range import Range

from sara.history_plan import DAY, HOUR, Plan
from sara.history_talk import Talk

# Nothing is decided in the day after the history's end: whoever reads it a little later sees the same.
_SETTLED = 24 * HOUR
_SLOT = timedelta(minutes=15)
_SLOTS = 40  # of a day and a resource, from eight in the morning


def deals(plan: Plan, talk: Talk) -> None:
    """What a conversation brings, if anything."""
    if talk.wrote_at is None:
        return
    if plan.likely(0.35) and not talk.person.has_lead:
        lead(plan, talk)
    if plan.places and plan.likely(0.25):
        booking(plan, talk)
    if plan.likely(0.12):
        quote(plan, talk)
    if plan.likely(0.08):
        ticket(plan, talk)


def lead(plan: Plan, talk: Talk) -> None:
    """Somebody may buy; some are qualified in time, some late, some never."""
    created, talk.person.has_lead = talk.at, True
    kind = plan.chance.random()
    takes = (
        plan.after(600, 47.9 * 3600)
        if kind < 0.4
        else plan.after(48.1 * 3600, 90 * 3600)
        if kind < 0.6
        else None
    )
    if takes is not None and created + takes > plan.now:
        takes = None
    if takes is None and plan.now < created + 48 * HOUR <= plan.now + _SETTLED:
        takes = timedelta(minutes=5)
    stages: list[tuple[str | None, str, datetime]] = [(None, "new", created)]
    if takes is not None:
        stages.append(("new", "qualified", created + takes))
    stage = stages[-1][1]
    ref = plan.new(
        "lead", talk.person.contact, talk.ref, "…", 70 if takes else 10, stage, created, stages[-1][2]
    )
    for before, to, at in stages:
        plan.new("stage_change", ref, before, to, at)
    plan.true("leads", created, 1, talk.ref)
    in_time = takes is not None and takes <= 48 * HOUR
    if in_time or created + 48 * HOUR <= plan.now:
        plan.true("lead_qualified_48h", created, float(in_time), talk.ref)


def booking(plan: Plan, talk: Talk) -> None:
    """An appointment within a week, and how it ends if its time comes; some the business enters itself."""
    ours = plan.likely(0.9)
    of = talk.ref if ours else None
    service_id, resource_id = plan.chance.choice(plan.places)
    day = talk.at.astimezone(plan.zone).date() + plan.chance.randint(1, 7) * DAY
    slot = plan.taken[resource_id, day]
    if slot >= _SLOTS:
        return
    plan.taken[resource_id, day] += 1
    starts = datetime(day.year, day.month, day.day, 8, tzinfo=plan.zone) + slot * _SLOT
    over = starts + 2 * _SLOT < plan.now
    status = (
        plan.chance.choices(["completed", "no_show", "cancelled", "booked"], [75, 9, 10, 6])[0]
        if over
        else "booked"
    )
    key = f"history:{plan.counts['appointment']}"
    during = Range(starts, starts + _SLOT, "[)")
    plan.new(
        "appointment", talk.person.contact, of, service_id, resource_id, during, status, 40, key, talk.at
    )
    plan.new("crm_event", talk.person.contact, of, "appointment_booked", key, talk.at)
    plan.true("bookings", talk.at, 1, of)
    if status in ("completed", "no_show"):
        plan.true("no_shows", starts, float(status == "no_show"), of)


def quote(plan: Plan, talk: Talk) -> None:
    """A quote that is issued at once, or never; accepted, declined, or still open."""
    contact, created, key = talk.person.contact, talk.at, f"history:{plan.counts['quote']}"
    if plan.likely(0.15):
        plan.new("quote", contact, talk.ref, "requested", "EUR", None, None, None, None, key, created)
        return
    issued = created + plan.after(10, 100)
    decided = issued + plan.after(600, 6 * 24 * 3600)
    status = plan.chance.choice(["accepted", "accepted", "declined", "issued"])
    if status == "issued" or decided > plan.now:
        status, moment = "issued", None
    else:
        moment = decided
    number, until = f"H-{plan.counts['quote']:05d}", (issued + 30 * DAY).date()
    plan.new("quote", contact, talk.ref, status, "EUR", number, issued, until, moment, key, created)
    plan.true("quotes_sent", issued, 1, talk.ref)
    if status == "accepted":
        plan.true("quotes_accepted", decided, 1, talk.ref)


def ticket(plan: Plan, talk: Talk) -> None:
    """Something is wrong: looked into and solved in time, or late, or not yet."""
    created = talk.at
    answer_due, solve_due = created + 8 * HOUR, created + 30 * HOUR
    answered: datetime | None = created + plan.after(600, 7 * 3600)
    closed: datetime | None = created + plan.after(7.5 * 3600, 29 * 3600)
    kind = plan.chance.random()
    if kind < 0.15:
        answered = created + plan.after(8.2 * 3600, 20 * 3600)
    elif kind < 0.3:
        closed = created + plan.after(31 * 3600, 80 * 3600)
    elif kind < 0.36:
        closed = None
    answered = answered if answered is not None and answered <= plan.now else None
    closed = closed if answered is not None and closed is not None and answered < closed <= plan.now else None
    if (
        created + 30 * HOUR > plan.now - HOUR
    ):  # what may still come right is not yet decided: leave it so for a day
        answer_due, solve_due = plan.now + 2 * DAY, plan.now + 3 * DAY
    status = "closed" if closed else "in_progress" if answered else "open"
    key = f"history:{plan.counts['ticket']}"
    plan.new("ticket", talk.person.contact, talk.ref, status, "…", "normal", answer_due, solve_due,
             answered, closed, key, created)  # fmt: skip
    plan.true("tickets", created, 1, talk.ref)
    if closed is not None:
        in_time = answered is not None and answered <= answer_due and closed <= solve_due
        plan.true("tickets_in_sla", created, float(in_time), talk.ref)
    elif plan.now >= solve_due:  # neither answered nor solved is late by now
        plan.true("tickets_in_sla", created, 0.0, talk.ref)
