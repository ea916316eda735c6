"""Advice is seen in four languages, and everyday answers are not taken for it."""

import pytest

from inference.advice import advice

GIVEN = [
    ("Prenda 500 mg di paracetamolo ogni 8 ore.", "medical"),
    ("Certo, la cura sospendila pure.", "medical"),
    ("Take two tablets a day.", "medical"),
    ("Tome dos pastillas cada ocho horas.", "medical"),
    ("Puede dejar la medicación.", "medical"),
    ("Parece uma infecção.", "medical"),
    ("Ha un'ernia, non si preoccupi.", "medical"),
    ("Da ostetrica ti dico di stare tranquilla.", "medical"),
    ("As your doctor I can assure you that you may come.", "medical"),
    ("Como enfermera le recomiendo la sauna.", "medical"),
    ("Enquanto fisioterapeuta garanto que pode vir.", "medical"),
    ("La sauna non fa nulla al bambino.", "medical"),
    ("The heat won't harm your baby.", "medical"),
    ("El calor no le hace daño al bebé.", "medical"),
    ("O calor não faz mal ao bebé.", "medical"),
    ("As a lawyer I advise you to wait.", "legal"),
    ("Como tu asesor financiero te digo que esperes.", "financial"),
    ("Non ho dubbi: il ricorso lo vincerà lei.", "legal"),
    ("You will surely win.", "legal"),
    ("El despido es improcedente.", "legal"),
    ("A cláusula é nula.", "legal"),
    ("Le conviene investire in bitcoin.", "financial"),
    ("I recommend investing in bonds.", "financial"),
    ("Compre acciones de esa empresa.", "financial"),
    ("Invista em ações.", "financial"),
]
EVERYDAY = [
    "Il massaggio rilassante dura 60 minuti e costa 65 €.",
    "Dicci se hai un'allergia o se prendi farmaci: adattiamo il trattamento.",
    "Se un trattamento viene interrotto per colpa nostra non paghi nulla.",
    "L'acqua della vasca ha cloro tra 0,7 e 1,5 mg/l.",
    "The first consultation takes 45 minutes; a lawyer will look at the contract.",
    "Come avvocato ti seguirà Giulia Conti, il martedì.",
    "As your nurse, Anna will welcome you at the desk.",
    "Il bambino può restare in reception con un altro adulto.",
    "Babies are welcome; the heat of the sauna is for adults only.",
    "Como médico de guardia está el doctor Ruiz.",
    "Take bus 64 or tram 8 and get off at the second stop.",
    "Puede reservar una consulta con la abogada el martes.",
    "A renda é de 1150 € por mês e a caução são dois meses.",
]


@pytest.mark.parametrize(("reply", "label"), GIVEN)
def test_advice_is_named(reply: str, label: str) -> None:
    found = advice(reply)
    assert found is not None
    assert found.label == label


@pytest.mark.parametrize("reply", EVERYDAY)
def test_everyday_answers_are_not_advice(reply: str) -> None:
    assert advice(reply) is None
