"""What is said about a voice note that was not understood: one kind sentence for each way it can fail."""

from collections.abc import Mapping, Sequence
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.lists import format_list

from graph.state import Event
from knowledge.phrases import Say

_MINUTE = 60
QUOTED = 400  # characters of a doubtful transcript that are said back


def not_understood(event: Event) -> list[dict[str, Any]]:
    """The transcripts of the turn's voice notes whose words are not to be trusted."""
    heard = [message.get("transcript") or {} for message in event.get("messages", [])]
    return [transcript for transcript in heard if transcript.get("status") in ("unclear", "rejected")]


def voice_notes(event: Event) -> list[int]:
    """The ids of the turn's messages that were spoken."""
    return [said["message_id"] for said in event.get("messages", []) if said.get("transcript")]


def guess(unheard: Sequence[Mapping[str, Any]]) -> str:
    """What was perhaps said; empty when nobody would recognise it."""
    return " ".join(t["text"] for t in unheard if _guessed(t))


def _guessed(transcript: Mapping[str, Any]) -> bool:
    return bool(transcript.get("text")) and transcript["status"] == "unclear"


def question(
    unheard: Sequence[Mapping[str, Any]],
    say: Say,
    *,
    language: str,
    languages: Sequence[str],
    most_seconds: float,
) -> str:
    """Asks for what was not understood, quoting what perhaps was; never says a word that nobody spoke. Of
    several notes each way to fail is named once.

    `language` is the customer's, `languages` those the business serves, `most_seconds` its longest note.
    """
    asked = []
    if heard := guess(unheard):
        asked.append(
            say(
                "I heard: “{heard}”. Is that right? If not, please write it or send it again.",
                heard=shortened(heard),
            )
        )
    asked += [
        _failed(one, say, language=language, languages=languages, most_seconds=most_seconds)
        for one in unheard
        if not _guessed(one)
    ]
    return "\n".join(dict.fromkeys(asked))


def _failed(
    transcript: Mapping[str, Any],
    say: Say,
    *,
    language: str,
    languages: Sequence[str],
    most_seconds: float,
) -> str:
    """Why one note is not understood, and what would help."""
    match transcript.get("reason"):
        case "unsupported_language":
            spoken = str(transcript.get("language"))
            return _foreign(spoken, say, language=language, languages=languages)
        case "too_long" if most_seconds == _MINUTE:
            return say(
                "Your voice note is longer than a minute, too long for me to listen to. "
                "Could you send a shorter one, or write me the main points?"
            )
        case "too_long":
            return say(
                "Your voice note is longer than {minutes} minutes, too long for me to listen to. "
                "Could you send a shorter one, or write me the main points?",
                minutes=f"{most_seconds / _MINUTE:g}",
            )
        case reason:
            return plain_question(reason, say)


def plain_question(reason: str | None, say: Say) -> str:  # noqa: PLR0911 one return a reason
    """The sentences that need no more than the reason."""
    match reason:
        case "too_short":
            return say("That voice note was so short that I missed it. Could you record it again?")
        case "too_big":
            return say(
                "That recording is too big for me to open. Could you send a shorter one, or write to me?"
            )
        case "music":
            return say(
                "I can hear music but no voice. Could you record it again somewhere quieter, or write to me?"
            )
        case "video" | "no_audio_stream":
            return say("I can't watch videos yet. Could you tell me in a voice note, or write to me?")
        case "empty" | "truncated" | "damaged" | "unavailable":
            return say("Your voice note did not reach me in one piece. Could you send it again?")
        case "not_audio":
            return say(
                "I can't open that file. Could you record a voice note here in the chat, or write to me?"
            )
        case "no_speech":
            return say("I could not hear anything in the voice note. Could you send it again or write to me?")
        case _:
            return say(
                "I'm sorry, I could not make out the words in your voice note. "
                "Could you say it again closer to the phone, or write to me?"
            )


def _foreign(spoken: str, say: Say, *, language: str, languages: Sequence[str]) -> str:
    known = format_list([_name(code, language) for code in languages], "or-short", locale=language)
    return say(
        "I think that was {spoken}, which I don't understand yet. Could you tell me in {known}?",
        spoken=_name(spoken, language),
        known=known,
    )


def _name(code: str, language: str) -> str:
    """A language's name in another; its code where nobody has named it."""
    try:
        return str(Locale.parse(code).get_display_name(language) or code)
    except (UnknownLocaleError, ValueError):
        return code


def shortened(words: str) -> str:
    """Words as they are quoted, no longer than a customer reads."""
    return words if len(words) <= QUOTED else words[:QUOTED].rsplit(" ", 1)[0] + "…"
