"""What customers of benchmarks write: no message twice within a few hundred.

The models remember the last few hundred messages they have read, as they should; real customers hardly ever
write the same words, so a benchmark that repeats a handful of questions would measure the memory.
"""

_QUESTIONS = (
    "Quanto costa un massaggio rilassante?",
    "A che ora aprite domani?",
    "C'è il parcheggio?",
    "How do I get there by metro?",
    "Quanto dura la pulizia del viso?",
)
_BEFORE = (
    "Ciao",
    "Buongiorno",
    "Salve",
    "Buonasera",
    "Scusate",
    "Ehi",
    "Hello",
    "Ancora io",
    "Senta",
)
_AFTER = (
    "Grazie",
    "Grazie mille",
    "Grazie, Anna",
    "Grazie, Marco",
    "Thanks",
    "Saluti, Giulia",
    "A presto",
    "Un saluto, Paolo",
    "Resto in attesa",
    "Buona giornata",
    "Ciao ciao",
)


def question(number: int) -> str:
    """The `number`-th message; the first 495 are all different, and then they come again."""
    before = _BEFORE[number % len(_BEFORE)]
    after = _AFTER[number % len(_AFTER)]
    return f"{before}! {_QUESTIONS[number % len(_QUESTIONS)]} {after}."
