"""What the team reads: the words of alerts, in the language of the business."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from channels.whatsapp.errors import BY_CODE, AccessDenied
from crm.alert_watch import DueTicket, Subject, Undelivered
from crm.alerts import News
from crm.budgets import BudgetRow
from crm.businesses import Profile
from crm.campaign_rows import TroubleRow
from crm.contacts import ContactRow
from crm.events import HookRow
from crm.governor import NumberState
from crm.handoffs import HandoffRow
from knowledge.phrases import Phrases, Say
from tools.wording import clock, day

_LONGEST = 600
_SHOWN = 3
_HALT_TOLD_S = 6 * 3600


class Desk:
    """Writes the alerts of one business. `public_url` is where its console is reached; None: not at all."""

    def __init__(self, phrases: Phrases, profile: Profile, public_url: str | None) -> None:
        self.profile = profile
        self._say: Say = phrases.speaker(profile.language)
        self._public_url = public_url

    def test(self) -> News:
        """Says that alerts arrive."""
        words = self._say(
            "This is a test: alerts of {business} arrive here.", business=self.profile.business.name
        )
        return self._news("test", "test", self._say("Test"), [words])

    def handoff(
        self, row: HandoffRow, *, unanswered_since: datetime | None = None, anew: str | None = None
    ) -> News:
        """A hand-over was opened, or still waits for its first answer. `anew` names what it is told once more
        for: the turn in which it became an emergency, the step that left it to whoever takes it."""
        say, again = self._say, unanswered_since is not None
        title = (
            say("A customer is still waiting for an answer") if again else say("A customer needs a person")
        )
        kind = "handoff_unanswered" if again else "handoff_opened"
        lines = [
            say("Reason: {reason}", reason=_reason(say, row.reason, row.label)),
            self._queue(row.queue),
            say("Customer: {customer}", customer=_customer(row.contact_name, row.wa_id)),
            say("Waiting since {time}", time=self._moment(unanswered_since)) if unanswered_since else "",
            f"«{_short(row.wants)}»" if row.wants else "",
            self._link(row.conversation_id) or f"sara handoff show {row.handoff_id}",
        ]
        return self._news(
            kind,
            f"{kind}:{row.handoff_id}:{anew}" if anew else f"{kind}:{row.handoff_id}",
            title,
            lines,
            queue=row.queue,
            contact_id=row.contact_id,
            # Sensitive without a kind is what only the model noticed: it may be an emergency.
            urgent=again or row.label == "emergency" or (row.reason == "sensitive" and row.label is None),
        )

    def ticket(self, row: DueTicket, now: datetime) -> News:
        """A ticket's answer or solution is due soon, or late."""
        say, number = self._say, row.ticket_id
        late = row.due <= now
        if row.step == "answer":
            title = (
                say("Ticket {number}: the answer is late", number=number)
                if late
                else say("Ticket {number}: an answer is due soon", number=number)
            )
        else:
            title = (
                say("Ticket {number}: the solution is late", number=number)
                if late
                else say("Ticket {number}: a solution is due soon", number=number)
            )
        lines = [
            say("Due: {time}", time=self._moment(row.due)),
            say("Priority: {priority}", priority=_priority(say, row.priority)),
            self._queue(row.queue),
            say("Customer: {customer}", customer=_customer(row.contact_name, row.wa_id)),
            f"«{_short(row.description)}»",
        ]
        key = f"ticket_due:{row.step}:{number}"
        return self._news(
            "ticket_due", key, title, lines, queue=row.queue, contact_id=row.contact_id, urgent=True
        )

    def halted(self, phone_number_id: str, code: int | None, reason: str, since: datetime) -> News:
        """Nothing passes on a number until somebody acts. Told once each time a token stops it; what only a
        message sent can find out (an account without a payment method, say) once in six hours."""
        told_by_time = BY_CODE.get(code or 0) is AccessDenied
        when = (
            f"{code}:{since.timestamp() // _HALT_TOLD_S:.0f}"
            if told_by_time
            else since.astimezone(UTC).isoformat()
        )
        lines = [
            self._say("Messages wait until this is mended, and none is lost."),
            f"{phone_number_id}: {reason}",
        ]
        return self._news(
            "channel_halted",
            f"channel_halted:{phone_number_id}:{when}",
            self._say("WhatsApp takes no messages of ours"),
            lines,
            urgent=True,
        )

    def undelivered(self, rows: Sequence[Undelivered]) -> News:
        """Messages that did not reach their customers."""
        say = self._say
        reasons = list(dict.fromkeys(_short(row.error or row.state) for row in rows))[:_SHOWN]
        lines = [
            say("Messages that did not reach their customers: {number}", number=len(rows)),
            *reasons,
            say("Conversations: {numbers}", numbers=", ".join(_conversations(rows))),
            self._link(rows[0].conversation_id),
        ]
        key = f"delivery_failed:{max(row.outbox_id for row in rows)}"
        title = say("Messages could not be delivered")
        return self._news("delivery_failed", key, title, lines, queue=self.profile.pack.queue, urgent=True)

    def webhook(self, subscription_id: int, host: str, reason: str, now: datetime) -> News:
        """Another system does not take its events; told once a day."""
        say = self._say
        lines = [
            say("Receiver: {host}, number {number}", host=host, number=subscription_id),
            _short(reason),
            say("To send again: {command}", command=self._replay(subscription_id)),
        ]
        key = f"webhook_failed:{subscription_id}:{now:%Y-%m-%d}"
        return self._news("webhook_failed", key, say("Another system does not take its events"), lines)

    def campaign(self, row: TroubleRow) -> News:
        """A campaign paused itself."""
        say = self._say
        lines = [
            say("Campaign: {name}", name=row.name),
            say("Reason: {reason}", reason=_short(row.note)),
            say("To go on: {command}", command=self._resume(row.campaign_id)),
        ]
        title, queue = say("A campaign was paused"), self.profile.pack.queue
        return self._news("campaign_paused", row.key, title, lines, queue=queue, urgent=True)

    def number(self, state: NumberState, display_phone: str | None, now: datetime) -> News:
        """Meta restricts a number; told once a day."""
        say = self._say
        lines = [
            say("Number: {number}", number=display_phone or state.phone_number_id),
            say("Reason: {reason}", reason=_short(state.stopped or "")),
        ]
        key = f"number_stopped:{state.phone_number_id}:{now:%Y-%m-%d}"
        title, queue = say("No campaign can be sent on a number"), self.profile.pack.queue
        return self._news("number_stopped", key, title, lines, queue=queue, urgent=True)

    def budget(self, row: BudgetRow) -> News:
        """The language models' tokens are used up; told once for the day or the month."""
        say = self._say
        month = row.over == "month"
        used, most = (
            (row.used_this_month, row.tokens_per_month) if month else (row.used_today, row.tokens_per_day)
        )
        lines = [
            say("This month: {used} of {most} tokens", used=used, most=most)
            if month
            else say("Today: {used} of {most} tokens", used=used, most=most),
            say("Until then SARA quotes documents and data instead of wording its answers."),
        ]
        until = day(row.until, self.profile.language)
        title = say("The tokens of the language model are used up until {date}", date=until)
        return self._news("model_budget", f"model_budget:{row.key}", title, lines)

    def event(self, hook: HookRow, subject: Subject | None, contact: ContactRow) -> News:
        """Something happened with a customer: an appointment, a quote, a lead, a ticket."""
        say = self._say
        lines = [
            say("Customer: {customer}", customer=_customer(contact.name, contact.wa_id)),
            *(self._about(hook, subject) if subject else [_short(hook.detail)]),
            self._link(hook.conversation_id),
        ]
        return self._news(
            hook.kind,
            f"event:{hook.crm_event_id}",
            _event(say, hook.kind),
            lines,
            queue=self.profile.pack.queue,
            contact_id=hook.contact_id,
        )

    def _about(self, hook: HookRow, subject: Subject) -> list[str]:
        if not hook.kind.startswith("appointment"):
            return [_short(subject.what), subject.more or ""]
        service, language = self.profile.booked_service(subject.what), self.profile.language
        name = service.name(language, language) if service else subject.what
        when = self._moment(subject.moment) if subject.moment else ""
        return [", ".join(part for part in (name, when, subject.more) if part)]

    def _news(
        self,
        kind: str,
        key: str,
        title: str,
        lines: Sequence[str],
        *,
        queue: str | None = None,
        contact_id: int | None = None,
        urgent: bool = False,
    ) -> News:
        return News(
            kind=kind,
            key=key,
            title=f"{self.profile.business.name}: {title}",
            body="\n".join(line for line in lines if line),
            queue=queue,
            contact_id=contact_id,
            urgent=urgent,
        )

    def _queue(self, key: str | None) -> str:
        if not key:
            return ""
        name = self.profile.pack.queue_names.get(self.profile.language, key)
        return self._say("Queue: {queue}", queue=name)

    def _link(self, conversation_id: int | None) -> str:
        if self._public_url is None or conversation_id is None:
            return ""
        return f"{self._public_url.rstrip('/')}/console/{self.profile.business.slug}/c/{conversation_id}"

    def _replay(self, subscription_id: int) -> str:
        slug = self.profile.business.slug
        return f"sara webhooks replay --business {slug} --to {subscription_id} --dead"

    def _resume(self, campaign_id: int) -> str:
        return f"sara campaign resume --business {self.profile.business.slug} {campaign_id}"

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(ZoneInfo(self.profile.business.time_zone))
        return f"{day(local.date(), self.profile.language)}, {clock(local, self.profile.language)}"


def _customer(name: str | None, wa_id: str | None) -> str:
    return " ".join(part for part in (name, f"+{wa_id}" if wa_id else None) if part) or "?"


def _conversations(rows: Sequence[Undelivered]) -> list[str]:
    ids = list(dict.fromkeys(row.conversation_id for row in rows))
    return [*map(str, ids[:_SHOWN]), *(["…"] if len(ids) > _SHOWN else [])]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _priority(say: Say, priority: str) -> str:
    words = {"low": say("low"), "normal": say("normal"), "high": say("high"), "urgent": say("urgent")}
    return words.get(priority, priority)


def _reason(say: Say, reason: str, label: str | None) -> str:
    """Why SARA passed the conversation on; a reason without words of its own is named by its key."""
    if label == "emergency":
        return say("perhaps an emergency")
    if reason == "sensitive":
        return say("a delicate matter ({topic})", topic=label or "?")
    unknown, failed = say("SARA does not know the answer"), say("something went wrong in SARA")
    words = {
        "customer_request": say("the customer asked for a person"),
        "voice_unclear": say("a voice note was not understood"),
        "attachment": say("a file that SARA cannot look at"),
        "low_score": say("the customer is not satisfied"),
        "flooding": say("more messages than a person writes"),
        "low_confidence": unknown,
        "ungrounded": unknown,
        "not_bookable": unknown,
        "lead": say("an interested customer"),
        "no_free_time": say("no free time that suits"),
        "places_left": say("no free time that suits"),
        "turn_failed": failed,
        "model_exhausted": failed,
        "tool_failed": failed,
    }
    return words.get(reason, reason.replace("_", " "))


def _event(say: Say, kind: str) -> str:
    """The headline of an event; one without words of its own is named by its key."""
    words = {
        "appointment_booked": say("New appointment"),
        "appointment_moved": say("Appointment moved"),
        "appointment_cancelled": say("Appointment cancelled"),
        "appointment_missed": say("Missed appointment"),
        "appointment_conflict": say("An appointment overlaps the calendar"),
        "quote_requested": say("Quote requested"),
        "quote_accepted": say("Quote accepted"),
        "quote_declined": say("Quote declined"),
        "lead_qualified": say("Promising lead"),
        "ticket_opened": say("New ticket"),
    }
    return words.get(kind, kind.replace("_", " ").capitalize())
