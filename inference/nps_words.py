"""The words the reader of scores looks for, unaccented and in lower case; all four languages at once.

A customer who is asked in one language may answer "ten" in another.
"""

from functools import cache

NUMBERS = {
    "zero": 0, "cero": 0,
    "uno": 1, "one": 1, "um": 1, "uma": 1,
    "due": 2, "two": 2, "dos": 2, "dois": 2, "duas": 2,
    "tre": 3, "three": 3, "tres": 3,
    "quattro": 4, "four": 4, "cuatro": 4, "quatro": 4,
    "cinque": 5, "five": 5, "cinco": 5,
    "sei": 6, "six": 6, "seis": 6,
    "sette": 7, "seven": 7, "siete": 7, "sete": 7,
    "otto": 8, "eight": 8, "ocho": 8, "oito": 8,
    "nove": 9, "nine": 9, "nueve": 9,
    "dieci": 10, "ten": 10, "diez": 10, "dez": 10,
}  # fmt: skip

# Number words that words may follow without a comma: the others mean too much else ("sei molto gentile",
# "one of you", "siete bravi").
BOLD = (
    "zero",
    "cero",
    "otto",
    "eight",
    "ocho",
    "oito",
    "nove",
    "nine",
    "nueve",
    "dieci",
    "ten",
    "diez",
    "dez",
)


@cache
def giving() -> str:
    """Phrases that announce a score whatever stands before them, as a pattern."""
    return (
        r"vi do(?: un)?|ti do(?: un)?|darei(?: un)?|vi darei(?: un)?|assegno(?: un)?|metterei(?: un)?"
        r"|(?:il )?(?:mio )?voto(?: finale)?(?: e'?| sarebbe)?(?: un)?"
        r"|(?:(?:vi|lo|la) )?consiglierei(?: da)?|(?:vi )?meritate(?: un)?"
        r"|i'?d give(?: it| you| this)?(?: an?)?|i would give(?: it| you| this)?(?: an?)?"
        r"|i give(?: it| you)?(?: an?)?"
        r"|(?:my |the )?(?:score|rating|answer)(?: is| would be|'s)?(?: an?)?"
        r"|i'?d rate (?:it|you)(?: an?)?"
        r"|(?:os|le|te|les) doy(?: un)?|(?:os|le|les) pondria(?: un)?"
        r"|(?:os|le|les) pongo(?: un)?|os daria(?: un)?"
        r"|(?:mi |la )?(?:nota|puntuacion)(?: es| seria)?(?: un)?|mi respuesta es(?: un)?"
        r"|(?:eu )?dou(?:-vos)?(?: um)?(?: nota)?|(?:eu )?daria(?: um)?(?: nota)?|dava(?: um)?"
        r"|(?:a )?(?:minha )?nota(?: e| seria)?(?: um)?|a minha resposta e(?: um)?"
    )


@cache
def leads() -> str:
    """What may stand before a score at the beginning of a message, as a pattern."""
    return (
        giving() + r"|un|uno|un bel|un buon|un meritato|e'? un|do(?: un)?|metto(?: un)?|direi(?: un)?"
        r"|dico(?: un)?"
        r"|diciamo(?: un)?|facciamo(?: un)?|sicuramente(?: un)?|assolutamente(?: un)?"
        r"|certamente(?: un)?"
        r"|senz'altro(?: un)?|senza dubbio(?: un)?|purtroppo(?: solo)?(?: un)?|sinceramente(?: un)?"
        r"|onestamente(?: un)?|forse(?: un)?|probabilmente(?: un)?|solo un|per me (?:e'? )?un"
        r"|mah|beh|boh|scusa|scusate"
        r"|volevo dire|intendevo|anzi|(?:io )?(?:penso|credo)(?: che)?(?: un)?|io dico|io direi"
        r"|senza (?:esitazion[ei]|pensarci)(?: un)?|quindi(?: un)?|non so"
        r"|an?|a (?:solid|strong|big|clear)|an easy|it'?s an?|i'?d say(?: an?)?"
        r"|(?:i )?would say(?: an?)?|i say|say|i think(?: an?)?|i guess(?: an?)?|i suppose(?: an?)?"
        r"|it would be(?: an?)?|that's an?|for me(?: it's)? an?|so(?: an?)?|not sure"
        r"|let'?s say(?: an?)?|probably(?: an?)?|definitely(?: an?)?|maybe(?: an?)?"
        r"|honestly(?: an?)?|sadly(?: an?)?"
        r"|unfortunately(?: an?)?|certainly(?: an?)?|absolutely(?: an?)?|just an?|only an?"
        r"|well|hmm+|sorry|i meant"
        r"|i mean|actually"
        r"|un buen|es un|seria un|doy(?: un)?|pongo(?: un)?|(?:yo )?diria(?: que)?(?: un)?|digo(?: un)?"
        r"|honestamente(?: un)?|lamentablemente(?: un)?|por desgracia(?: un)?|quizas?(?: un)?"
        r"|probablemente(?: un)?"
        r"|seguramente(?: un)?|seguro que(?: un)?|sin duda(?: un)?|perdon|perdona|quise decir"
        r"|(?:yo )?creo que(?: un)?|supongo que(?: un)?|para mi(?: es)? un|sin dudar(?:lo)?(?: un)?"
        r"|queria (?:decir|dizer)|pues(?: un)?"
        r"|um|um belo|e um|seria um|so um|apenas um|(?:eu )?diria(?: que)?(?: um)?"
        r"|digo(?: um)?|sinceramente(?: um)?"
        r"|honestamente(?: um)?|infelizmente(?: um)?|talvez(?: um)?|provavelmente(?: um)?"
        r"|certamente(?: um)?"
        r"|com certeza(?: um)?|sem duvida(?: um)?|desculpe?|desculpa|quis dizer"
        r"|(?:eu )?acho que(?: um)?|para mim(?: e)? um|uns"
    )


@cache
def correcting() -> str:
    """Phrases that lead a score which takes another one's place, as a pattern."""
    return (
        rf"{meaning()}|scus(?:a|ate|i|ami|atemi)|mi scusi|anzi|sorry|my (?:bad|mistake)|actually"
        r"|perdon[ae]?|disculp[ae]|mejor dicho|desculp[ae]|perdao|alias"
    )


@cache
def meaning() -> str:
    """Those of them that say outright that something else was meant, as a pattern."""
    return (
        r"volevo (?:dire|scrivere|mettere|dare)|intendevo(?: dire)?|ho sbagliato|mi sono sbagliat[oa]"
        r"|mi correggo|i meant(?: to (?:say|write|put|give))?|i mean|i made a mistake"
        r"|quise (?:decir|poner|escribir|dar)|queria (?:decir|poner|escribir|dar)|me equivoque"
        r"|me he equivocado|quis (?:dizer|escrever|dar)|queria (?:dizer|escrever|dar)|enganei-me|me enganei"
        r"|errei"
    )


@cache
def follows() -> str:
    """Words that may follow a score without a comma: no quantity, time or date is followed by them."""
    return (
        r"perche|poiche|ma|pero|because|cause|cos|but|since|porque|pues|mas|pois|e|ed|y|and"
        r"|con|siete|sei|sois"
        r"|molto|davvero|veramente|proprio|really|very|so|such|muy|muito|tutto|all|everything"
        r"|todo|tudo|era|sempre"
        r"|siempre|always|you|your|keep|i guess|i think|i suppose|overall|from me|anche se|though"
        r"|although|aunque"
        r"|embora|if (?:the|it|you)|se (?:non|fosse|nao)|pieno|tondo|redondo|com certeza"
        r"|sem duvida|sin duda"
        r"|servizio|service|servicio|servico|staff|personale"
        r"|personal|complimenti"
    )


@cache
def judging() -> str:
    """Words that praise or blame, or tell how something was, as a pattern."""
    return (
        # it
        r"brav\w*|ottim\w*|perfett\w*|eccellent\w*|gentil\w*|fantastic\w*|magnific\w*"
        r"|meraviglios\w*|complimenti"
        r"|soddisf\w*|content\w*|felic\w*|bell\w*|bene|benissimo|buon\w*|super\w*|top"
        r"|consigli\w*|professional\w*"
        r"|cortes\w*|disponibil\w*|veloc\w*|rapid\w*|puntual\w*|pulit\w*|pessim\w*|male"
        r"|malissimo|brutt\w*|scortes\w*"
        r"|maleducat\w*|lent[oaie]|attes\w*|aspett\w*|ritard\w*|car[oaie]|costos\w*|delus\w*"
        r"|deludent\w*"
        r"|disorganizz\w*|sporc\w*|rumor\w*|confus\w*|peggio\w*|troppo|troppa|pochi|poche"
        r"|niente di che|sufficient\w*"
        r"|insufficient\w*|miglior\w*|trovat\w*|stat[oaie]|piaciut\w*|adoro|freddo|fredda"
        r"|accoglient\w*|precis\w*"
        # en
        r"|great|good|excellent|perfect\w*|amazing|awesome|lovely|love\w*|nice|brilliant"
        r"|wonderful|friendly"
        r"|kind|helpful|happy|pleased|satisf\w*|recommend\w*|quick\w*|fast|clean|bad|poor"
        r"|awful|terrible|horrible"
        r"|rude|slow|late|wait\w*|expensive|pricey|dirty|noisy|disappoint\w*|worse|worst"
        r"|improve\w*|was|were|enjoy\w*"
        r"|best|well|okay|fine|average|meh|thank\w*|cold|professional\w*"
        # es
        r"|buen\w*|genial\w*|estupend\w*|maravill\w*|amabl\w*|simpatic\w*|encant\w*"
        r"|satisfech\w*|recom\w*|limpi\w*"
        r"|profesional\w*|mal[oa]?|fatal|pesim\w*|tard\w*|espera\w*|suci\w*|ruid\w*|decep\w*"
        r"|peor|mejor\w*|fue"
        r"|estuvo|gust\w*|gracias|regular|frio|fria"
        # pt
        r"|bom|boa|bem|otim\w*|perfeit\w*|maravilh\w*|adorei|amei|gost\w*|satisfeit\w*"
        r"|profission\w*|mau|ruim"
        r"|horrivel|demor\w*|atras\w*|suj\w*|barulh\w*|desilud\w*|pior|melhor\w*|foi|estava"
        r"|obrigad\w*|parabens"
        r"|razoavel|grazie|incantevol\w*|impecc?av\w*|exemplar\w*|excel\w*"
    )


@cache
def wishing() -> str:
    """Words by which a message asks for something, as a pattern: such a message is no mere comment."""
    return (
        r"vorrei|vorremmo|voglio|vogliamo|volevo (?!dire)|desidero|potrei|potremmo|potete|puoi"
        r"|posso|possiamo|potrebbe"
        r"|prenota(?:re|mi|rmi|mo)?|fissa(?:re|mi|rmi)|spost(?:are|a|o|ami)"
        r"|annull(?:are|a|o|ate)|disdire|disdico"
        r"|mi serve|ho bisogno|cerco|quanto (?:costa|viene)|a che ora|mandatemi|mandami"
        r"|inviami|ditemi|dimmi"
        r"|avete (?:posto|posti|tavoli|disponibil\w+)|siete aperti|c'e posto"
        r"|i'?d like|i would like|i want|we want|i need|we need|can (?:i|you|we)"
        r"|could (?:i|you|we)|book (?:me|it|a|the)"
        r"|reserve|reschedule|cancel|how much|do you|are you open|what time|send me|tell me|let me know"
        r"|quiero|queremos|quisiera|querria|necesito|puedo|podeis|puedes|pueden|podria"
        r"|reservar?|reservame|anular"
        r"|cancelar|cuanto cuesta|a que hora|teneis|tienen|mandame|mandadme|dime|me gustaria"
        r"|quero|queria (?!dizer|decir)|gostava de|gostaria|preciso|pode|podem|posso|marcar"
        r"|marque|agendar|remarcar"
        r"|desmarcar|quanto custa|a que horas|tem vaga|mandem-me|envie-me|diga-me"
    )


@cache
def displeased() -> str:
    """Words of somebody who complains, as a pattern."""
    return (
        r"reclam\w*|lamentel\w*|lamentar\w*|scandal\w*|vergogn\w*|schif\w*|disgust\w*"
        r"|terribil\w*|terribl[ey]|pessim\w*"
        r"|horribl\w*|orribil\w*|awful|rimbors\w*|refund\w*|reembols\w*|delus\w*|deludent\w*"
        r"|disappoint\w*"
        r"|decepcion\w*|queja\w*|queix\w*|denunci\w*|ladri|truff\w*|scam\w*|estafa\w*|burla\w*"
        r"|inaccettabil\w*"
        r"|unacceptable|inaceptable|inaceitavel|furios\w*|furious|arrabbiat\w*|angry"
        r"|enfadad\w*|zangad\w*|rude"
        r"|maleducat\w*|mal educad\w*|maleducad\w*|complain\w*|mai piu|never again|nunca mas"
        r"|nunca mais|peggio\w*|worst"
        r"|peor\w*|pior\w*|money back|soldi indietro|disculpa\w*|apolog\w*|verguenza|vergonha"
        r"|insatisf\w*"
        r"|insoddisf\w*|rott[oaie]|rot[oa]s?|broken|damaged|dannegg\w*|estragad\w*|partid[oa]s?"
    )
