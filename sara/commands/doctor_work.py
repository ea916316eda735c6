"""The doctor's look at the work itself: who does it, how long it waits, what was given up.

Each finding that is not ok says what the alerts of deploy/prometheus/alerts.yaml say, and what to do.
"""

from crm.operating import Operating
from sara.commands.findings import BAD, OK, WARN, Finding

LATE_S = 60.0  # work that should be done within seconds
FULL = 0.85  # of the connections that the server takes
_SENDING = ("queued", "sending", "unknown")
_GIVEN_UP = {
    "turn": (
        "turns that failed every time",
        "`sara quarantine list` says why, and `sara quarantine release` tries again; people have them"
        " meanwhile: `sara handoff list`",
    ),
    "message": ("messages held back", "`sara outbox list` says why, `sara outbox retry` sends one after all"),
    "alert": ("alerts to the team", "`sara alerts dead` says why, with --retry they are sent again"),
    "webhook_out": ("webhooks to other systems", "`sara webhooks list`, then `sara webhooks replay`"),
    "webhook_in": (
        "items of WhatsApp's webhooks",
        "`sara webhook replay` takes them in once their cause is mended",
    ),
}


def of_the_work(operating: Operating) -> list[Finding]:
    """What the figures of the installation say."""
    return [
        _workers(operating),
        *([] if _at_rest(operating) else _queues(operating)),
        _deliveries(operating),
        *_numbers(operating),
        *_dead_letters(operating),
        *_connections(operating),
    ]


def _at_rest(operating: Operating) -> bool:
    """Whether nothing of SARA runs: then nothing is late."""
    return not operating.of("lanes") and not operating.of("serving")


def _workers(operating: Operating) -> Finding:
    lanes, lost = int(operating.of("lanes")), int(operating.of("lanes_lost"))
    if lanes:
        gone = f"; {(lost + 1) // 2} ended without a word, others have their jobs" if lost else ""
        return Finding("workers", OK, f"{(lanes + 1) // 2} at work{gone}")
    waits, oldest = (
        sum(operating.labelled("jobs_due").values()),
        max(operating.labelled("jobs_oldest").values()),
    )
    detail = f"none at work, {waits:.0f} jobs wait"
    if _at_rest(operating) or oldest < LATE_S:
        return Finding("workers", WARN, detail, "start `sara worker`: until then nothing is answered")
    mend = (
        "messages come in and nobody answers: start `sara worker`; where one should run, its log says why not"
    )
    return Finding("workers", BAD, detail, mend)


def _queues(operating: Operating) -> list[Finding]:
    due, doing = operating.labelled("jobs_due"), operating.labelled("jobs_doing")
    late = {queue: age for queue, age in operating.labelled("jobs_oldest").items() if age > LATE_S}
    found = []
    for queue, age in sorted(late.items()):
        detail = (
            f"{queue}: {due[queue]:.0f} jobs wait, the oldest for {_long(age)}, {doing[queue]:.0f} at work"
        )
        mend = (
            "no worker takes them: see workers"
            if not operating.of("lanes")
            else "the workers cannot keep up: start more, or look in their logs for what fails every time"
        )
        found.append(Finding("queue", BAD, detail, mend))
    unread = operating.of("events_oldest")
    if unread > LATE_S and not late:
        detail = f"{operating.of('events'):.0f} messages have no turn yet, the oldest for {_long(unread)}"
        mend = "their turns fail: `turn_failed` in the workers' logs says why"
        found.append(Finding("queue", BAD, detail, mend))
    return found or [Finding("queue", OK, f"{sum(due.values()):.0f} jobs wait, none for long")]


def _deliveries(operating: Operating) -> Finding:
    count, oldest = operating.labelled("outbox"), operating.labelled("outbox_oldest")
    waiting = sum(count[state] for state in _SENDING)
    age = max(oldest[state] for state in _SENDING)
    if age <= LATE_S:
        return Finding("deliveries", OK, f"{waiting:.0f} messages on their way")
    detail = f"{waiting:.0f} messages on their way, the oldest for {_long(age)}"
    mend = "`sara outbox list --waiting --business NAME` shows what each waits for"
    return Finding("deliveries", WARN, detail, mend)


def _numbers(operating: Operating) -> list[Finding]:
    halted, expired = operating.of("numbers", "halted"), operating.of("numbers", "token_expired")
    if not halted:
        return []
    if expired:
        mend = "set a new SARA_WHATSAPP_ACCESS_TOKEN and restart the workers: what waits goes out then"
        return [Finding("numbers", BAD, f"WhatsApp refuses the token of {expired:.0f} numbers", mend)]
    mend = (
        "`sara outbox list --business NAME` names the number and Meta's reason; mend it in WhatsApp Manager"
    )
    return [Finding("numbers", BAD, f"{halted:.0f} numbers may not send", mend)]


def _dead_letters(operating: Operating) -> list[Finding]:
    found = [
        Finding("dead letters", WARN, f"{count:.0f} {_GIVEN_UP[kind][0]}", _GIVEN_UP[kind][1])
        for kind, count in operating.labelled("dead").items()
        if count
    ]
    return found or [Finding("dead letters", OK, "none")]


def _connections(operating: Operating) -> list[Finding]:
    used, most = operating.of("database_connections"), operating.of("database_connections_most")
    if used < FULL * most:
        return []
    mend = "raise max_connections, put a pooler in front, or run fewer processes"
    return [Finding("connections", WARN, f"{used:.0f} of {most:.0f} of the database's are in use", mend)]


def _long(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
