"""A vertical pack: what holds for every business of a trade, one YAML file in `verticals/`, read strictly.

A business names its vertical and changes any key of the pack in its own file, under `pack:`. Mappings are
merged, lists and single values replaced, `null` removes; what comes out must be a whole pack again.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from knowledge.errors import KnowledgeError
from knowledge.strict_yaml import (
    LANGUAGES,
    FileRefused,
    Key,
    Language,
    Location,
    StrictFile,
    Text,
    Value,
    written,
)

FOLDER = Path(__file__).parent / "verticals"
OPTION_TITLE = 20  # characters WhatsApp shows of a button

SensitiveTopic = Literal["legal", "medical", "financial", "emergency"]
Switchable = Literal["book_appointment", "reschedule_cancel", "request_quote", "qualify_lead", "open_ticket"]
Demanding = Literal["book_appointment", "request_quote", "open_ticket"]
Answer = Literal[
    "text", "choice", "people", "number", "money", "date", "past_date", "yes_no", "email", "phone"
]
Address = Literal["informal", "formal"]
Said = Literal["first_answer", "price", "about", "booking", "quote", "ticket"]


class VerticalError(FileRefused):
    """A vertical pack cannot be used: `line` (from 1) is wrong, `reason` says what to write instead."""


class UnknownVertical(KnowledgeError):
    """No pack of that name: `sara business verticals` lists them."""


class Unmergeable(ValueError):
    """An override does not fit the pack at `location`; `reason` says what to write instead."""

    def __init__(self, location: Location, reason: str) -> None:
        super().__init__(reason)
        self.location, self.reason = location, reason


def _everywhere(texts: Mapping[Language, Any]) -> Mapping[Language, Any]:
    if absent := [language for language in LANGUAGES if language not in texts]:
        raise ValueError(f"lacks {', '.join(absent)}: write it in it, en, es and pt")
    return texts


Share = Annotated[float, Field(ge=0, le=1)]
Phrase = Annotated[
    str, written(r"(?:! )?[\w|*? ]{3,80}", "write 3 to 80 letters without signs, but * _ | ? as in a lexicon")
]
Title = Annotated[str, Field(min_length=1, max_length=OPTION_TITLE, pattern=r"\S")]
InAll = Annotated[Mapping[Language, Text], AfterValidator(_everywhere)]
TitleInAll = Annotated[Mapping[Language, Title], AfterValidator(_everywhere)]
PhrasesInAll = Annotated[
    Mapping[Language, Annotated[tuple[Phrase, ...], Field(min_length=1)]], AfterValidator(_everywhere)
]
WordsInAll = Annotated[
    Mapping[Language, Annotated[tuple[Text, ...], Field(min_length=1, max_length=12)]],
    AfterValidator(_everywhere),
]


class Question(Value):
    """Something the customer is asked, in ascending `order`. An optional one can be skipped.

    `type` says how the answer is read and what is recognised unasked in the customer's first message.
    `weight` is how much the answer tells about a lead; `shares` what part of it an option earns, if not all.
    """

    order: Annotated[int, Field(ge=1, le=99, strict=True)]
    type: Answer
    required: Annotated[bool, Field(strict=True)]
    ask: InAll
    options: Annotated[Mapping[Key, TitleInAll], Field(max_length=9)] = Field(default_factory=dict)
    weight: Annotated[int, Field(ge=0, le=10, strict=True)] = 1
    shares: Mapping[Key, Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _choices(self) -> Self:
        if self.type == "choice" and len(self.options) < 2:
            raise ValueError("a choice needs at least two `options`: add them, or set `type: text`")
        if self.type != "choice" and self.options:
            raise ValueError("only a choice has `options`: set `type: choice`, or remove them")
        if unknown := sorted(set(self.shares) - set(self.options)):
            raise ValueError(f"`shares` names {', '.join(unknown)}, which is no option: remove it")
        return self


def _in_order(questions: Mapping[str, Question]) -> Mapping[str, Question]:
    taken: dict[int, str] = {}
    for key, question in questions.items():
        first = taken.setdefault(question.order, key)
        if first != key:
            raise ValueError(f"`{key}` and `{first}` have the same `order`: give each its own")
    return dict(sorted(questions.items(), key=lambda item: item[1].order))


Questions = Annotated[Mapping[Key, Question], AfterValidator(_in_order)]


class Topic(Value):
    """Words after which a human answers, whatever the score; `policy` is what only the house may decide."""

    kind: Literal["legal", "medical", "financial", "emergency", "policy"]
    words: PhrasesInAll


class Disclaimer(Value):
    """A sentence added by rule, once a conversation: when `said` comes to pass, or at the words `about`."""

    said: Said
    about: PhrasesInAll | None = None
    text: InAll

    @model_validator(mode="after")
    def _has_its_words(self) -> Self:
        if (self.said == "about") != (self.about is not None):
            raise ValueError("`about` lists the words of `said: about`: give both, or neither")
        return self


class Typical(Value):
    """A service as the trade usually sells it; a business's service of that key need not repeat it."""

    names: InAll
    duration_minutes: Annotated[int, Field(ge=5, le=1440, strict=True)] | None = None
    bookable: Annotated[bool, Field(strict=True)]
    quotable: Annotated[bool, Field(strict=True)]


class Queue(Value):
    """Who takes hand-overs: `key` stands on the hand-over, the name is what people read."""

    key: Key
    names: InAll


class Words(Value):
    """The trade's own words, and those it does not use."""

    prefer: WordsInAll
    avoid: WordsInAll


class Sensitive(Value):
    """Thresholds, 0..1, where the trade differs from the trained ones."""

    thresholds: Mapping[SensitiveTopic, Share] = Field(default_factory=dict)


class Vertical(Value):
    """One pack. An intent that `intents` does not name is on; `{business}` in `persona` is its name.

    `address` is how SARA's own sentences speak to customers, as `persona` has the model do; a language that
    it does not name is informal.
    """

    persona: InAll
    tone: InAll
    address: Mapping[Language, Address] = Field(default_factory=dict)
    intents: Mapping[Switchable, Annotated[bool, Field(strict=True)]] = Field(default_factory=dict)
    lead: Questions
    required: Mapping[Demanding, Questions] = Field(default_factory=dict)
    sensitive: Sensitive = Field(default_factory=Sensitive)
    topics: Mapping[Key, Topic] = Field(default_factory=dict)
    disclaimers: Mapping[Key, Disclaimer] = Field(default_factory=dict)
    services: Mapping[Key, Typical] = Field(default_factory=dict)
    queue: Queue
    words: Words

    @property
    def off(self) -> list[str]:
        """Intents this trade does not carry out by chat."""
        return [intent for intent, on in self.intents.items() if not on]

    @property
    def questions(self) -> dict[str, Mapping[str, Question]]:
        """What is asked before each intent is carried out, in order."""
        asked = {str(intent): questions for intent, questions in self.required.items()}
        return {"qualify_lead": self.lead, **asked}


@cache
def verticals() -> tuple[str, ...]:
    """The names of the packs there are, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_vertical(name: str) -> Vertical:
    """The pack of a vertical. Raises UnknownVertical, or VerticalError at the first line that is wrong."""
    return Vertical.model_validate(load_raw(name))


@cache
def load_raw(name: str) -> dict[str, Any]:
    """The values of a pack that is right, as written, for `merged`. Raises as load_vertical does."""
    if name not in verticals():
        raise UnknownVertical(f"no vertical is called {name!r}: write one of {', '.join(verticals())}")
    return _checked(FOLDER / f"{name}.yaml")[0]


def load_pack(path: Path) -> Vertical:
    """Read and check a pack anywhere; raise VerticalError at the first line that is wrong."""
    return _checked(path)[1]


def _checked(path: Path) -> tuple[dict[str, Any], Vertical]:
    file = StrictFile.read(path, VerticalError, "a vertical pack", "persona")
    values = file.plain()
    try:
        return values, Vertical.model_validate(values)
    except ValidationError as error:
        raise file.invalid(error) from error


def merged(pack: Mapping[str, Any], override: object, at: Location = ()) -> dict[str, Any]:
    """The pack with an override on top; neither is changed. Raises Unmergeable."""
    if not isinstance(override, Mapping):
        raise Unmergeable(at, "`pack` must hold `key: value` lines: the keys of the vertical to change")
    result = dict(pack)
    for key, value in override.items():
        if value is None and key not in result:
            where = ".".join(map(str, (*at, key)))
            raise Unmergeable((*at, key), f"`{where}` is not in the pack: there is nothing to remove")
        if value is None:
            del result[key]
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value, (*at, key))
        else:
            result[key] = value
    return result
