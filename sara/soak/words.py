"""What the simulated customers and agents say, in the four languages."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["it", "en", "es", "pt"]


@dataclass(frozen=True)
class Talk:
    """One language: `book` and `cancel` lead through a booking and out of it; {day} is a day in words."""

    prefix: str
    questions: Sequence[str]
    more: Sequence[str]
    person: Sequence[str]
    waiting: Sequence[str]
    book: Sequence[str]
    cancel: str
    yes: str
    agent: Sequence[str]
    months: Sequence[str]


TALK: Mapping[Language, Talk] = {
    "it": Talk(
        prefix="39351",
        questions=(
            "Quanto costa un massaggio rilassante?",
            "A che ora aprite domani?",
            "Dove siete?",
            "Che servizi avete?",
            "Siete aperti la domenica?",
        ),
        more=("Buongiorno!", "scusate,", "un'altra cosa", "grazie mille"),
        person=("Vorrei parlare con una persona", "Mi passi un operatore, per favore"),
        waiting=("Ci siete?", "Resto in attesa", "È per domani"),
        book=(
            "Vorrei prenotare un massaggio rilassante il {day} alle 11",
            "Posso prenotare una lezione di yoga il {day}?",
        ),
        cancel="Devo annullare il mio appuntamento",
        yes="sì",
        agent=("Buongiorno, sono una persona: la aiuto io.", "Ecco fatto, è tutto a posto."),
        months=(
            "gennaio",
            "febbraio",
            "marzo",
            "aprile",
            "maggio",
            "giugno",
            "luglio",
            "agosto",
            "settembre",
            "ottobre",
            "novembre",
            "dicembre",
        ),
    ),
    "en": Talk(
        prefix="447701",
        questions=(
            "How much is a relaxing massage?",
            "When do you open tomorrow?",
            "Where are you?",
            "What services do you offer?",
            "Are you open on Sunday?",
        ),
        more=("Hello!", "sorry,", "one more thing", "thank you so much"),
        person=("I would like to talk to a person", "Can I speak to a human agent, please?"),
        waiting=("Are you there?", "I am waiting", "It is for tomorrow"),
        book=("I'd like to book a relaxing massage on {day} at 12", "Can I book a yoga class on {day}?"),
        cancel="I'm afraid I have to cancel my appointment",
        yes="yes",
        agent=("Good morning, I am a person, let me help you.", "There you are, all is settled."),
        months=(
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
    ),
    "es": Talk(
        prefix="34612",
        questions=(
            "¿Cuánto cuesta un masaje relajante?",
            "¿A qué hora abren mañana?",
            "¿Dónde están?",
            "¿Qué servicios tienen?",
            "¿Abren los domingos?",
        ),
        more=("¡Hola!", "perdón,", "una cosa más", "muchas gracias"),
        person=("Quiero hablar con una persona", "¿Puedo hablar con un agente, por favor?"),
        waiting=("¿Están ahí?", "Estoy esperando", "Es para mañana"),
        book=(
            "Quiero reservar un masaje relajante el {day} a las 11",
            "¿Puedo reservar una clase de yoga el {day}?",
        ),
        cancel="Lo siento, tengo que anular mi cita",
        yes="sí",
        agent=("Buenos días, soy una persona, le ayudo yo.", "Listo, está todo arreglado."),
        months=(
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ),
    ),
    "pt": Talk(
        prefix="351915",
        questions=(
            "Quanto custa uma massagem relaxante?",
            "A que horas abrem amanhã?",
            "Onde ficam?",
            "Que serviços têm?",
            "Abrem ao domingo?",
        ),
        more=("Bom dia!", "desculpem,", "mais uma coisa", "muito obrigada"),
        person=("Quero falar com uma pessoa, por favor", "Posso falar com um humano?"),
        waiting=("Estão aí?", "Estou à espera", "É para amanhã"),
        book=(
            "Queria marcar uma massagem relaxante no dia {day} às 11",
            "Posso marcar uma aula de ioga no dia {day}?",
        ),
        cancel="Tenho de cancelar a minha marcação",
        yes="sim",
        agent=("Bom dia, sou uma pessoa e vou ajudar.", "Pronto, está tudo tratado."),
        months=(
            "janeiro",
            "fevereiro",
            "março",
            "abril",
            "maio",
            "junho",
            "julho",
            "agosto",
            "setembro",
            "outubro",
            "novembro",
            "dezembro",
        ),
    ),
}


def day_in_words(language: Language, month: int, day: int) -> str:
    """The 14th of January as people write it."""
    name = TALK[language].months[month - 1]
    return f"{name} {day}" if language == "en" else f"{day} {'de ' if language in ('es', 'pt') else ''}{name}"


def some(chance: random.Random, words: Sequence[str]) -> str:
    """One of them."""
    return words[chance.randrange(len(words))]
