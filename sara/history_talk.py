"""One conversation of a seeded history: who says what when, what the channel makes of it, who steps in."""

from datetime import datetime, timedelta

from sara.history_plan import DAY, HOUR, Person, Plan, Ref

_MODEL = "ollama:llama3.1"


class Talk:
    """A conversation as it goes on; `at` is how far it has come."""

    def __init__(self, plan: Plan, person: Person, start: datetime) -> None:
        self.plan, self.person, self.start, self.at = plan, person, start, start
        self.ref = plan.reserve("conversation")
        self.turns = 0
        self.intent: str | None = None
        self.wrote_at: datetime | None = None
        self.reacted_at: datetime | None = None
        self.sara_answered = self.agent_wrote = self.handed = self.escalated = False
        self.waiting_since: datetime | None = None  # the customer's first message that nobody has answered

    def go(self) -> None:
        """From its beginning to its end."""
        plan, kind = self.plan, self.plan.chance.random()
        if kind < 0.04:  # SARA writes first; half of these customers never write at all
            self.begun_by_us()
        if kind < 0.01:
            self.reacts()
        if kind >= 0.02:
            for _ in range(plan.chance.randint(1, 4)):
                self.exchange()
            if 0.04 <= kind < 0.19:
                self.hand_over()
            elif kind < 0.23:
                self.stepped_in()
            elif kind < 0.26:
                self.says()
                self.unsent()
        self.end()

    def begun_by_us(self) -> None:
        """A reminder, or advertising: no answer to anything."""
        campaign = self.plan.likely(0.5)
        self.write(
            "bot", "…", purpose=None if campaign else "reminder", lane="campaign" if campaign else "service"
        )
        self.at += self.plan.after(60, 4000)

    def exchange(self) -> None:
        """The customer writes, in one message or several, and SARA answers."""
        plan, odd = self.plan, self.plan.chance.random()
        unanswered = odd >= 0.02 and plan.likely(0.06)
        wordings = plan.chance.choice(plan.words["unanswered"])
        last = self.says(asks=plan.chance.choice(wordings) if unanswered else None)
        if odd < 0.02:
            self.unsent()
            return
        if odd < 0.04:  # a reminder in between is no answer
            self.write("bot", "…", purpose="reminder")
        if unanswered:
            plan.unanswered[wordings[0]] += 1
        slow = plan.after(20, 300) if plan.likely(0.03) else plan.after(1.2, 7.5)
        late = HOUR if plan.likely(0.01) else timedelta(0)  # the channel's word came late
        intent = str(plan.one("intents"))
        self.turn(last, self.at + slow, intent, "answered", unanswered=unanswered)
        self.write("bot", str(plan.one("answers", self.person.language)), wait=slow, late=late)
        self.at += plan.after(5, 240)

    def says(self, *, asks: str | None = None) -> Ref:
        """A run of the customer's messages, which ends with what it `asks`; the last of them."""
        plan, language = self.plan, self.person.language
        run = plan.chance.choice([1, 1, 1, 2, 3])
        for number in range(run):
            # The channel's times are whole seconds.
            self.at = (self.at + plan.after(1, 15)).replace(microsecond=0)
            voice = plan.likely(0.12)
            text = str(plan.one("more" if number else "questions", language))
            if number == run - 1 and asks:
                text = asks
            last = plan.new(
                "message", self.ref, self.person.contact, "customer", self._wamid(),
                "audio" if voice else "text", "" if voice else text, language if voice else None, voice,
                text if voice else None, "ok" if voice else None, None, self.at, self.at,
            )  # fmt: skip
            plan.true("messages_in", self.at, 1, self.ref)
            plan.true("voice_share", self.at, float(voice), self.ref)
            self.waiting_since = self.waiting_since or self.at
            self.wrote_at = self.at
        if plan.likely(0.05):
            self.reacts()
        return last

    def reacts(self) -> None:
        """A thumb under a message says nothing."""
        self.reacted_at = self.at
        self.plan.new("message", self.ref, self.person.contact, "customer", None, "reaction", "👍", None,
                      False, None, None, None, self.at, self.at)  # fmt: skip

    def write(
        self, author: str, body: str, *, wait: timedelta = timedelta(0), late: timedelta = timedelta(0),
        purpose: str | None = None, lane: str = "service",
    ) -> None:  # fmt: skip
        """A message of ours `wait` after the last thing said, and the channel's word for it `late`."""
        plan, written = self.plan, self.at + wait - timedelta(milliseconds=300)
        written, taken = max(written, self.at), self.at + wait + late
        message = self._ours(author, body, written, "delivered")
        self._outbox(message, "accepted", written, taken, purpose, lane)
        for status, pause in (("sent", 0.2), ("delivered", 1.1)):
            at = taken + timedelta(seconds=pause)
            plan.rows["message_status"].append([message, status, at, at])
        self.at += wait
        if lane == "campaign":
            return
        plan.true("messages_out", written, 1, self.ref)
        if purpose is not None:
            return
        if self.waiting_since is not None and author == "bot":
            plan.true("response", self.waiting_since, (taken - self.waiting_since).total_seconds(), self.ref)
        self.waiting_since = None
        self.sara_answered |= author == "bot"
        self.agent_wrote |= author == "agent"

    def unsent(self) -> None:
        """An answer that the channel refuses: the customer waits on."""
        self.at += self.plan.after(1, 5)
        message = self._ours("bot", "…", self.at, None)
        self._outbox(message, "refused", self.at, self.at, None, "service")

    def turn(self, last: Ref, at: datetime, intent: str, outcome: str, *, unanswered: bool) -> None:
        """What SARA's turn came to, and took."""
        plan, self.intent = self.plan, intent
        read, written = plan.chance.randint(600, 1800), plan.chance.randint(20, 160)
        seconds = plan.after(0.4, 6).total_seconds()
        plan.rows["turn"].append(
            [f"history:{self.ref.number}:{self.turns}", self.ref, last, intent, outcome, self.person.language,
             _MODEL, read, written, seconds, unanswered, at]
        )  # fmt: skip
        self.turns += 1
        plan.true("tokens", at, read + written, self.ref)
        plan.true("compute_seconds", at, seconds, self.ref)
        plan.true("languages", at, 1, self.ref, self.person.language)
        plan.true("intents", at, 1, self.ref, intent)
        if unanswered:
            plan.true("unanswered", at, 1, self.ref)

    def hand_over(self) -> None:
        """SARA cannot go on: it says so, and a person answers, or closes it without a word."""
        plan, last = self.plan, self.says()
        reason = str(plan.one("reasons"))
        wait = plan.after(1, 4)
        self.turn(last, self.at + wait, "other", "handed_over", unanswered=False)
        self.write("bot", str(plan.words["holding"][self.person.language]), wait=wait)
        self.escalated = True
        self.with_a_person(reason, silent=plan.likely(0.1), asked=True)

    def stepped_in(self) -> None:
        """A person takes over unasked."""
        self.at += self.plan.after(2, 60)
        self.with_a_person("agent_takeover", silent=self.plan.likely(0.3), asked=False)

    def with_a_person(self, reason: str, *, silent: bool, asked: bool) -> None:
        """A hand-over from its opening to its end."""
        plan, opened = self.plan, self.at
        ref = plan.reserve("handoff")
        plan.true("reasons", opened, 1, self.ref, reason)
        self.handed = True
        self.at += plan.after(30, 1500)
        claimed = self.at
        said = plan.words["agents"][self.person.language]
        if plan.likely(0.4):
            self.says()
        if not silent:
            self.write("agent", said[0], wait=plan.after(10, 200), late=plan.after(0.5, 2))
            if asked:
                spoken = plan.rows["outbox"][-1][9]
                plan.true("first_response", opened, (spoken - opened).total_seconds(), self.ref)
            self.at += plan.after(20, 300)
            self.says()
            self.at += plan.after(20, 300)
            self.write("agent", said[1], late=plan.after(0.5, 2))
        self.at += plan.after(5, 600)
        plan.true("handling", opened, (self.at - claimed).total_seconds(), self.ref)
        returned = plan.likely(0.4)
        status = "returned" if returned else "resolved"
        self.waiting_since = None  # what nobody answered was people's to answer
        turn_id = f"history:handoff:{self.ref.number}"
        plan.rows["handoff"].append([ref, self.ref, turn_id, reason, "…", status, opened, claimed, self.at])
        if returned:
            self.exchange()

    def end(self) -> None:
        """What the conversation was, once it is over; today's may still be open."""
        plan, person = self.plan, self.person
        person.last_seen = max(person.last_seen, self.at)
        still_open = self.at > plan.now - DAY / 2
        closed = None if still_open else self.at + HOUR
        if self.wrote_at is not None:
            plan.true("conversations", self.start, 1, self.ref)
            contained = self.sara_answered and not self.handed and not self.agent_wrote
            plan.true("containment", self.start, float(contained), self.ref)
            plan.true("escalation", self.start, float(self.escalated), self.ref)
        last_heard = self.wrote_at or self.reacted_at
        plan.rows["conversation"].append(
            [self.ref, person.contact, plan.number, "bot", "open" if still_open else "closed", self.intent,
             "answered" if self.turns else None, self.start, last_heard, self.at, closed]
        )  # fmt: skip

    def _wamid(self) -> str:
        return f"wamid.history.{self.plan.counts['message']}"

    def _ours(self, author: str, body: str, at: datetime, status: str | None) -> Ref:
        wamid = self._wamid() if status else None
        return self.plan.new("message", self.ref, self.person.contact, author, wamid, "text", body,
                             self.person.language, False, None, None, status, at, at)  # fmt: skip

    def _outbox(
        self, message: Ref, state: str, at: datetime, settled: datetime, purpose: str | None, lane: str
    ) -> None:
        turn_id = f"history:said:{message.number}"
        self.plan.new("outbox", self.ref, message, turn_id, 0, 0, state, 1, at, settled, purpose, lane, at)
