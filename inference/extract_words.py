"""The words the slot extractors look for, per language, unaccented and in lower case."""

import re
from functools import cache


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


@cache
def people_words() -> str:
    """Nouns that a number of people stands before, as a pattern."""
    return (
        "person[ae]|people|persons?|ppl|pax|guests?|adults?|kids|child(?:ren)?|of us|ospiti?|adult[oi]"
        "|bambin[oi]"
        "|bimb[oi]|coperti|posti|personas?|adultos?|ninos?|invitados|huespedes|comensales|pessoas?"
        "|criancas?"
        "|convidados|hospedes|lugares"
    )


@cache
def people_before() -> str:
    """Words after which a bare number counts people, as a pattern."""
    return (
        r"(?:\b(?:siamo|saremo|veniamo|in totale|siamo in|saremo in|tavolo per|posto per|we are|we're"
        r"|we'll be|there are"
        r"|there'll be|there will be|party of|group of|table for|room for|book for|it's for|somos|seremos"
        r"|mesa para|estamos|vamos ser|seriamos|grupo de|gruppo di))(?:\s(?:solo|just|only"
        r"|solo))?\s$"
    )


@cache
def for_people() -> re.Pattern[str]:
    """A number after "for" at the end, or before a day: people ("yoga per due sabato"). In English only in
    words: "for 3" may be an hour."""
    days = (
        r"(?:(?:il|la|el|este|esta|questo|questa|no|na|on|this|next)\s)?(?:lun|mar|mer|gio|ven|sab|dom|mon|tue|wed|thu"
        r"|fri|sat|sun|mie|jue|vie|seg|ter|qua|qui|sex|oggi|doman|today|tomorrow|hoy|manana|hoje|amanha)"
    )
    number = r"(?:\d{1,2}|[a-z]+)"
    return re.compile(
        rf"\b(?:(?:per|para|pra)\s{number}|for\s(?:two|three|four|five|six|seven|eight|nine|ten))"
        rf"(?=\s*(?:$|[,.;!?]|{days}|per favore|please|por favor))"
    )


@cache
def just_one() -> str:
    """Whole messages that mean one person, as a pattern."""
    return (
        r"^(?:solo (?:io|per me|yo|para mi)|(?:just|only) me|just for me|sono (?:da )?sol[oa]|vengo (?:da"
        r" )?sol[oa]"
        r"|(?:so|somente|apenas) (?:eu|para mim)|voy sol[oa]|vou sozinh[oa]|(?:io )?da sol[oa]|sozinh[oa]"
        r"|alone|sol[oa])$"
    )


@cache
def yes_phrases(language: str) -> tuple[str, ...]:
    """Words that confirm, longest first."""
    own = {
        "it": "si certo|va benissimo|va bene|andrebbe bene|confermo|confermato|conferma|perfetto|esatto"
        "|certo|certamente"
        "|d accordo|daccordo|assolutamente si|si|sii|siii|ottimo|giusto|benissimo|prenota|procedi"
        "|volentieri|corretto|bene",
        "en": "yes|yeah|yep|yup|yess|sure|of course|sounds good|that works|works for me|perfect|confirm"
        "|confirmed"
        "|i confirm|correct|right|that s right|that s fine|fine|go ahead|absolutely|definitely|great|yes"
        " please|book it|y",
        "es": "si|sii|claro que si|claro|por supuesto|de acuerdo|vale|confirmo|confirmado|confirmar"
        "|perfecto|correcto"
        "|exacto|esta bien|me parece bien|muy bien|adelante|genial|me va bien|bueno|dale|listo|eso es",
        "pt": "sim|claro|com certeza|certo|confirmo|confirmado|confirmar|perfeito|esta bem|ta bom|tudo"
        " bem|pode ser|isso mesmo"
        "|isso|exato|exatamente|combinado|beleza|correto|pode marcar|pode|otimo|bora|fechado",
    }
    return _longest_first(own[language] + "|ok|okay|okey|oki|okk|k")


@cache
def no_phrases(language: str) -> tuple[str, ...]:
    """Words that refuse, longest first."""
    own = {
        "it": "no no|no grazie|no|non va bene|non confermo|assolutamente no|per niente|non e corretto"
        "|sbagliato|nono"
        "|niente grazie|non mi va|non va|non e giusto|meglio di no|direi di no|non ancora",
        "en": "no|nope|nah|no thanks|not really|i don t|don t|wrong|that s wrong|not correct|incorrect"
        "|not right|n"
        "|absolutely not|of course not|definitely not|not yet|not okay|not ok|no way|rather not|that"
        " doesn t work|don t bother",
        "es": "no|no gracias|que no|nada|para nada|incorrecto|no esta bien|no es correcto|no confirmo|de"
        " ninguna manera"
        "|mejor no|mejor no gracias|claro que no|por supuesto que no|todavia no|no me va bien|mal",
        "pt": "nao|nao obrigado|nao obrigada|nada disso|errado|nao esta certo|nao confirmo|de jeito"
        " nenhum|melhor nao|melhor nao obrigado|melhor nao obrigada"
        "|nem pensar|claro que nao|ainda nao|n|nao pode ser|nao pode|incorreto",
    }
    return _longest_first(own[language])


@cache
def refusing_verbs(language: str) -> str:
    """A no in the verb of what was to be confirmed, as a pattern: it counts only where that was asked."""
    return {
        "it": "non (?:(?:lo|la) )?accetto|non (?:inviar|mandar|prenotar)(?:e|la|lo)",
        "en": "i (?:don t|do not) accept(?: it)?|(?:don t|do not) (?:send|book)(?: it)?",
        "es": "no (?:(?:lo|la) )?(?:acepto|envies?|mandes?|reserves?)",
        "pt": "nao (?:(?:o|a) )?(?:aceito|envies?|envia|mandes?|manda|marques?)",
    }[language]


@cache
def confirming_verbs(language: str) -> str:
    """A yes in the verb of what was to be confirmed, as a pattern: elsewhere "manda" confirms nothing."""
    return {
        "it": "(?:(?:lo|la) )?accetto(?: (?:il preventivo|l offerta))?|confermo (?:il preventivo|l offerta)"
        "|(?:invia|manda|prenota)(?:la|lo)?(?: pure)?|(?:invii|mandi)(?: pure)?",
        "en": "i accept(?: (?:it|the (?:quote|offer)))?|accept(?:ed)?|send(?: it)?",
        "es": "(?:(?:lo|la) )?acepto(?: el presupuesto)?|(?:envi[ae]|mand[ae]|reserv[ae])(?:lo|la)?",
        "pt": "aceito(?: o orcamento)?|(?:pode )?(?:enviar|mandar)|envie|envia|mande|manda|marque",
    }[language]


def _longest_first(phrases: str) -> tuple[str, ...]:
    return tuple(sorted(set(phrases.split("|")), key=lambda phrase: -len(phrase)))


@cache
def polite_words() -> frozenset[str]:
    """Words that may stand beside a yes or no without changing it."""
    return _set(
        "grazie mille per favore thanks thank you please cheers gracias muchas favor obrigado obrigada "
        "muito por it that tutto all todo tudo allora then entonces entao cosi e y and a o il la es is "
        "asi eh ah va bene per me "
    )


@cache
def quote_words() -> str:
    """Nouns for a quote, as a pattern; "quotes" of a stock exchange or of a book are not asked of a shop."""
    return (
        r"\b(?:preventiv[oi]|quotazione|quotes?|quotation|estimate|presupuestos?|cotizacion|orcamentos?"
        r"|cotacao)\b"
    )


@cache
def thanks_words() -> frozenset[str]:
    """Words that thank, in any of the languages."""
    return _set(
        "grazie grazieee thanks thank thx ty cheers gracias obrigado obrigada obg perfetto perfect "
        "perfecto perfeito"
    )


@cache
def farewell_words() -> frozenset[str]:
    """What stands around a thank-you and asks for nothing."""
    return _set(
        "ok okay oki great ottimo genial vale certo very so much bye ciao buona giornata serata a presto "
        "have nice day good night adios hasta luego manana domani tomorrow amanha ate logo boa noite tarde "
        "noche i will you too anche te voi igualmente bem bene molto gentile see then later"
    )


@cache
def cancel_phrases(language: str) -> str:
    """Phrases that drop what is being arranged, as a pattern: they count where nothing else is said."""
    return {
        "it": "lasci(?:a|amo|ate|i)? (?:stare|perdere)|come non detto|ho cambiato idea|niente grazie"
        "|fa niente"
        "|annulla(?: tutto)?|cancella(?: tutto)?|non mi interessa piu|non (?:lo |la )?voglio piu|ci ripenso"
        "|ci rinuncio|rinuncio|niente lascia|basta cosi|dimentica(?:tene)?|lascia",
        "en": "forget (?:it|about it|that)|never ?mind|nevermind|nvm|cancel(?: (?:that|it))?"
        "|i(?: ve)? changed my mind|changed my mind|drop it|leave it|not interested anymore|don t bother"
        "|no longer interested|scrap that|stop this|abort|(?:i )?don t want it anymore",
        "es": "dejalo(?: estar| asi)?|dejemoslo|olvidalo|olvidelo|olvidate|he cambiado de (?:idea|opinion)"
        "|cambie de (?:idea|opinion)|ya no (?:lo |la )?quiero|dejelo|mejor no|ya no me interesa|nada dejalo"
        "|cancela(?: todo)?|cancelalo",
        "pt": "deixa (?:pra|para) la|deixa estar|deixe estar|esquece|esqueca|deixa quieto|mudei de ideia"
        "|ja nao quero|nao quero mais|nao precisa mais|nao interessa mais|cancela(?: tudo)?|desisto|deixa",
    }[language]


@cache
def beside_cancel() -> frozenset[str]:
    """Words that may stand beside such a phrase without changing it."""
    return _set(
        "no non nao niente nada nothing ok okay va bene dai scusa scusi scusate sorry perdona perdon "
        "disculpa  desculpa desculpe allora actually anymore mas piu mais then pues entonces entao "
        "afinal anzi beh well  just ma but pero mi dispiace lo siento la il el o os as i it s that this "
        "the questo questa esto esta  isso isto appuntamento prenotazione preventivo richiesta "
        "appointment booking reservation quote  request cita reserva presupuesto solicitud marcacao "
        "agendamento orcamento pedido prenotare book  reservar marcar agendar venire come ir vir per "
        "ora now ahora agora por adesso di de to un una an"
    )


@cache
def _human_nouns(language: str) -> str:
    """Nouns for a human being who could take over, as a pattern."""
    return {
        "it": r"(?:operator[ei]|operatrice|essere umano|umano|umana|persona(?: vera| reale| in carne)?"
        r"|qualcuno"
        r"|responsabile|addett[oa]|titolare|collega|assistente umano|consulente umano|segretaria)",
        "en": r"(?:human(?: being)?|(?:real |actual |live )?(?:person|people)|someone(?: real)?|somebody"
        r"|agent|operator"
        r"|representative|manager|staff(?: member)?|owner|a member of staff)",
        "es": r"(?:persona(?: real| humana| de verdad)?|humano|operador[a]?|agente|alguien|encargad[oa]"
        r"|responsable"
        r"|asesor[a]?|representante|dueno)",
        "pt": r"(?:pessoa(?: real| de verdade| humana)?|humano|atendente|operador[a]?|agente|alguem"
        r"|responsavel"
        r"|gerente|funcionari[oa]|assistente humano)",
    }[language]


@cache
def person_patterns(language: str) -> tuple[re.Pattern[str], ...]:
    """Patterns of an explicit wish to talk with a human being."""
    human = _human_nouns(language)
    talk = {
        "it": r"(?:parl\w+|pass(?:a|i|ami|atemi|armi|ate)|chiam\w+|sentire|mett\w+ in contatto|contatt\w+"
        r"|scriver\w+|risponda|voglio|vorrei|serve"
        r"|essere richiamat[oa] da|rispondere da)",
        "en": r"(?:talk\w*|speak\w*|chat\w*|connect|transfer|pass|put me through|call|contact|get me"
        r"|reach|want|need|give me)",
        "es": r"(?:habl\w+|pas(?:ame|eme|arme|enme|a|e)|comunic\w+|contact\w+|pong\w+|atiend\w+|atend\w+"
        r"|quiero|necesito|llam\w+)",
        "pt": r"(?:fal\w+|pass(?:a|e|ar)|conect\w+|contat\w+|contact\w+|transf\w+|atend\w+|quero|preciso"
        r"|cham\w+|lig\w+)",
    }[language]
    link = (
        r"(?: (?:mi|me|to|with|con|com|a|al|ad|all|alla|allo|an|the|un|uno|una|um|uma|o|lo|la|el|il|in"
        r"|contatto|por|favor|please|de|per|da|some|real|sua|your|di|vostro|vostra|qualche|algum|alguma|algun"
        r"|alguna|ao|no|not|bot|you|can|i))*"
    )
    named = (
        r"(?! (?:chiamat\w|called|named|di nome|llamad\w|que se llama|chamad\w|che si chiama|who|that"
        r"|che|que|por|per|to (?!talk|speak|chat)|para (?!fal|habl)|alla volta|in piu|mas|mais))"
    )
    # With a verb of talking, what the talk is to be about may follow: "speak with a person about a massage".
    speak = {
        "it": r"parlar(?:e|ne)(?: (?:subito|direttamente|ora|adesso))? con"
        r"(?: (?:un|uno|una|l|la|il|vostr[oa]|qualche))?",
        "en": r"(?:talk|speak|chat)(?: (?:directly|now))? (?:to|with)(?: (?:a|an|the|some|your))?",
        "es": r"hablar(?: (?:ya|directamente|ahora))? con(?: (?:un|una|el|la|su|algun[oa]?))?",
        "pt": r"falar(?: (?:ja|directamente|diretamente|agora))? com(?: (?:um|uma|o|a|alguma?|vos[a-z]+))?",
    }[language]
    unnamed = (
        r"(?! (?:chiamat\w|called|named|di nome|llamad\w|que se llama|chamad\w|che si chiama|who|that"
        r"|che|que))"
    )
    strong = {
        "it": r"(?:persona (?:vera|reale|in carne e ossa)|essere umano|operatore umano|non (?:voglio|con)"
        r" (?:un )?(?:bot|robot|macchina)|^(?:operatore|umano|persona|operatrice)$)",
        "en": r"(?:real (?:person|human)|human (?:agent|being|please)|actual (?:person|human)|live agent"
        r"|not (?:a |to a |with a )?(?:bot|robot|machine)|^(?:human|agent|operator|a human|real person"
        r"|representative)$)",
        "es": r"(?:persona (?:real|de verdad|humana)|ser humano|agente humano|no (?:con )?(?:un |una"
        r" )?(?:bot|robot|maquina)|^(?:humano|agente|operador|una persona|persona|asesor)$)",
        "pt": r"(?:pessoa (?:real|de verdade|humana)|ser humano|atendente humano|nao (?:com )?(?:um |uma"
        r" )?(?:bot|robo|maquina)|^(?:humano|atendente|agente|operador|uma pessoa|pessoa)$)",
    }[language]
    return (
        re.compile(rf"(?<!\S){talk}{link} {human}(?!\S){named}"),
        re.compile(rf"(?<!\S){speak} {human}(?!\S){unnamed}"),
        re.compile(rf"(?<!\S){strong}(?!\S){named}"),
    )


@cache
def opt_out_words() -> frozenset[str]:
    """Whole messages that end marketing messages."""
    return frozenset(
        _longest_first(
            "stop|stop all|stopall|stop promo|baja|darme de baja|dar de baja|dame"
            " de baja|sair|parar|cancella|cancellami|cancellatemi|disiscrivimi|disiscriviti|disiscrivetemi"
            "|disiscrizione|unsubscribe|unsubscribe me|opt out|optout|desuscribir|desuscribirme|descadastrar"
            "|cancelar inscricao|remover|stop messages|stop messaggi|basta messaggi|no mas mensajes|rimuovimi"
            "|sair da lista"
            # What Meta's own button under a marketing message says.
            "|stop promotions|interrompi promozioni|detener promociones|parar promocoes|interromper promocoes"
        )
    )


@cache
def everyday_words() -> frozenset[str]:
    """Those of the words that end or allow marketing which also answer a question of ours."""
    return _set("cancella remover voltar entrar alta attiva ativar assinar inscrever start")


@cache
def opt_in_words() -> frozenset[str]:
    """Whole messages that allow messages again."""
    return frozenset(
        _longest_first(
            "start|alta|iscrivimi|iscrivetemi|riattiva|riattivami|attiva"
            "|subscribe|opt in|optin|unstop|resubscribe|darme de alta|suscribirme|suscribir|voltar|inscrever"
            "|cadastrar|assinar|entrar|reativar|ativar"
        )
    )


@cache
def not_names() -> frozenset[str]:
    """Words that end a name or show that no name was given."""
    return _set(
        "e ed y and et un una uno um uma a an the il la lo le i gli el los las o os as vorrei voglio ho "
        "would want need have quiero quisiera tengo queria quero gostaria tenho e' è per for para con "
        "with com come from di not no non nao very molto muy muito here qui aqui interessato interessata "
        "interested looking interesado interesada interessado sorry stato stata cliente client customer "
        "calling writing and my mio mia mi il/la ma but pero mas che que that "
    )


@cache
def filler_words() -> frozenset[str]:
    """Words that say nothing about which service is meant."""
    return _set(
        "il lo la i gli le un una uno di del della dei da a ad al alla in con per su e o el los las de y "
        "en para por um uma os as do dos das no na com ao the an of for with at to and or on vorrei "
        "voglio quiero quero i'd want like book prenotare reservar marcar agendar quanto costa how much "
        "cuanto cuesta custa is que che mi me prezzo prezzi costo costi tariffa tariffe fee fees price "
        "prices cost costs charge rate rates precio precios tarifa tarifas coste costes preco precos custo "
        "custos your vostro vostri vostra vuestro vuestra vosso vossa "
    )


@cache
def beside_wish_words() -> frozenset[str]:
    """Words that stand beside what is asked for and are no part of it: greetings, whose it is, occasions."""
    return _set(
        "buongiorno buonasera buon salve ciao giorno sera hello hey good morning afternoon evening there "
        "hola buenos buenas dias tardes noches ola bom dia boa noite tarde preventivo preventivi "
        "quotazione quote quotation estimate presupuesto cotizacion orcamento cotacao favore cortesia "
        "gentilmente possibile "
        "subito prima quanto mia mio mie miei nostro nostra moglie marito madre padre figlia figlio amica "
        "amico amici amiche mamma my our wife husband mother father friend friends mum dad mujer marido hijo "
        "hija amigos amigas mulher mae pai filho filha anche pure also too tambien tambem poi then sul solo "
        "only altro entro fine inizio meta regalo gift present "
    )
