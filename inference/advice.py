"""Advice that only a person may give, wherever it comes from: a dose, a diagnosis, a legal verdict, a tip.

A second witness over what is about to be said. A passage that says so is no excuse: documents can be wrong,
poisoned, or right for somebody else. Finding nothing proves nothing; it can only escalate.
"""

import re
from dataclasses import dataclass

from inference.grounding_words import fold

_AMOUNT = r"(?:\d+(?:[.,]\d+)?|un[ao]?|one|an?|due|two|dos|dois|duas|tre|three|tres|mezza|half|media|meia)"
_DRUG = (
    r"(?:aspirin\w*|paracetamol\w*|acetaminoph\w*|tachipirina|ibuprof\w*|naprox\w*|ketoprof\w*|"
    r"diclofenac\w*|amoxicil\w*|"
    r"antibiotic\w*|antibiotico\w*|cortison\w*|prednison\w*|cortico\w*|metformin\w*|insulin\w*|"
    r"warfarin\w*|eparin\w*|heparin\w*|"
    r"xanax|alprazolam|diazepam|lorazepam|valium|sertralin\w*|fluoxetin\w*|antidepress\w*|antidepres\w*|"
    r"ansiolitic\w*|"
    r"anticoagulant\w*|antinfiammator\w*|anti-?inflammator\w*|antiinflamator\w*|anti-?inflamator\w*|"
    r"analgesic\w*|painkiller\w*|"
    r"antidolorific\w*|antistaminic\w*|antihistamin\w*|anti-?histaminic\w*|omeprazol\w*|statin[ae]?s?|"
    r"melatonin\w*|codein\w*|tramadol\w*)"
)
_MEDICINE = (
    rf"(?:{_DRUG}|medicin\w*|medicacion|medicacao|farmac[oi]s?\b|medicament\w*|medication\w*|meds|pills?|pillol\w*|"
    r"compress[ae]|pastill\w*|tablets?|comprimid\w*|remedi\w*|drugs?|cura|terapia|treatment|tratamiento|tratamento|"
    r"therapy)"
)
_TAKE = (
    r"(?:prend\w+|assum\w+|sospend\w*|interromp\w+|smett\w+ (?:di prendere|con)|aument\w+|riduc\w+|"
    r"raddoppi\w*|continu\w+|"
    r"take|taking|stop(?: taking)?|suspend|increase|double|reduce|skip|start(?: taking)?|keep taking|"
    r"tom[aeo]\w*|suspend\w*|dej[ae]\w* de tomar|deje|aument\w*|reduzc\w*|reduz\w*|dobl[ae]\w*|"
    r"dobr[ae]\w*|pare|parar|interromp\w*)"
)
_ILLNESS = (
    r"(?:tumor\w*|cancr\w*|cancer\w*|cancro|infezion\w*|infection\w*|infeccion\w*|infec[cç]?a\w*|"
    r"frattur\w*|fractur\w*|diabet\w*|"
    r"depression\w*|depresion\w*|depress\w*|ansia|anxiety|ansiedad\w*|ernia|hernia\w*|artros\w*|"
    r"artrit\w*|arthrit\w*|gastrit\w*|"
    r"tendinit\w*|ulcer\w*|allergi\w*|alergi\w*|dermatit\w*|eczema\w*|eccema|psorias\w*|melanom\w*|"
    r"polmonit\w*|pneumon\w*|neumonia|"
    r"bronchit\w*|bronquit\w*|ictus|stroke|infart\w*|heart attack|carie\w*|cavity|pulpit\w*|ascess\w*|"
    r"abscess\w*|absces\w*|"
    r"sciatic\w*|ciatica|migraine\w*|emicrani\w*|cervicobrachialg\w*|otit\w*|sinusit\w*|cistit\w*|"
    r"cystit\w*|contrattur\w*|contractur\w*|strain)"
)
_CASE = r"(?:causa|caso|ricorso|processo|case|claim|lawsuit|appeal|juicio|pleito|recurso|demanda|acao|causas)"
_ASSET = (
    r"(?:azion[ei]|bitcoin\w*|cripto\w*|crypto\w*|etf|fond[oi]s?|funds?|stocks?|shares|bonds?|"
    r"obbligazion\w*|btp|acciones|bonos|"
    r"acoes|obrigac\w*|titol[oi]|titulos|criptomoed\w*|criptomoned\w*|oro|gold|ouro|ethereum|tesouro|"
    r"certificados)"
)
# Somebody who may advise, speaking: "as your doctor I can tell you".
_SPEAKS = (
    r"(?:dico|posso dir\w+|consiglio|assicuro|garantisco|tell|advise|assure|recommend|promise|digo|aseguro|"
    r"aconsejo|recomiendo|garantizo|garanto|asseguro|aconselho|recomendo)"
)
_AS = (
    r"(?:da|come|(?:speaking )?as (?:an?|your)|como|en calidad de|na qualidade de|enquanto)"
    r"(?: (?:tu[ao]?|su[ao]?|teu|seu|sua|vostr[oa]))?"
)
_HEALER = (
    r"(?:medic[oa]|dottor\w*|doctor\w?|physician|ostetric[oa]|midwife|matrona|comadrona|parteira|infermier\w|nurse|"
    r"enfermer\w|enfermeir\w|fisioterapist\w|physiotherapist|fisioterapeuta|psicolog[oa]|psychologist|therapist|"
    r"terapeuta|terapista|farmacist\w|pharmacist|farmaceutic\w|nutrizionist\w|nutritionist|nutricionista|dentist\w?|"
    r"ginecolog[oa]|pediatr\w)"
)
_LAWYER = r"(?:avvocat[oa]|lawyer|solicitor|attorney|abogad[oa]|advogad[oa]|notaio|notary|notari[oa]|jurista)"
_BROKER = (
    r"(?:consulente finanziari[oa]|commercialista|(?:financial|investment) advis[eo]r|broker|accountant|"
    r"asesora? (?:financier[oa]|fiscal)|consultora? financeir[oa]|contabilista)"
)
_BABY = r"(?:bambin[oa]|bimb[oa]|feto|bebe|baby|unborn|fo?etus|nin[oa])"
_NO_HARM = (
    r"(?:non (?:fa|fara|farebbe|crea) (?:nulla|niente|male|dann[oi]|problemi)|(?:won['’]t|will not|"
    r"doesn['’]t|does not|can['’]t|cannot) (?:hurt|harm|affect|bother)|"
    r"no (?:le )?(?:hace|hara|haria) (?:nada|dano|mal)|nao (?:lhe )?(?:faz|fara|faria) (?:nada|mal))"
)

_PATTERNS: dict[str, tuple[str, ...]] = {
    "medical": (
        rf"\b{_AS} {_HEALER}\b(?:\W+\w+){{0,4}}?\W+{_SPEAKS}\b",
        # That the child will not be harmed.
        rf"\b{_NO_HARM}\b(?:\W+\w+){{0,3}}?\W+{_BABY}\b|"
        rf"\b{_BABY}\b(?:\W+\w+){{0,3}}?\W+(?:{_NO_HARM}|won['’]t be (?:hurt|harmed|affected))\b",
        # A dose: an amount of a drug, or how often to take it.
        rf"\b{_AMOUNT}\s*(?:mg(?!/)|milligramm\w*|milligrams?|miligramos?|miligramas?|mcg|gocce|drops|"
        rf"gotas)\b",
        rf"\b{_TAKE}\b(?:\W+\w+){{0,4}}?\W+{_DRUG}",
        rf"\b{_DRUG}\b(?:\W+\w+){{0,6}}?\W+(?:ogni|every|cada|al giorno|a day|per day|al dia|por dia|"
        rf"ao dia)\b",
        r"\b(?:prend\w+|assum\w+|take|tom[ea]\w*)\b(?:\W+\w+){0,2}?\W+(?:compress[ae]|pillol\w*|"
        r"pastill\w*|tablets?|pills?|comprimid\w*|capsul\w*)",
        # Stop, start or change a treatment.
        rf"\b(?:sospend\w+|interromp\w+|smett\w+|raddoppi\w+|stop|suspend\w*|double|doble|dobre|deje|"
        rf"pare|interrump\w+|puo smettere|can stop|puede dejar|pode parar)"
        rf"\b(?:\W+\w+){{0,4}}?\W+{_MEDICINE}",
        rf"\b(?:la |il |el |o |a |the |your |su |tu |sua )?{_MEDICINE}\b\W+(?:pure )?(?:sospendil[ao]|"
        rf"sospenda\w*|interrompil[ao]|smett\w+|dejal[ao]|suspendal[ao]|suspend[ae]\w*)\b",
        # A diagnosis, or that nothing is wrong.
        rf"(?<!\bse )(?<!\bif )(?<!\bsi )(?<!whether )\b(?:ha|hai|si tratta di|soffr\w+ di|"
        rf"e (?:solo )?un\w?|it(?:['’]s| is)(?: (?:just|only|probably|clearly))?|you(?: probably|"
        rf" clearly)? have|you(?:['’]ve| have) got|tiene|tienes|"
        rf"padece\w*|es (?:solo )?un\w?|se trata de|trata-se de|voce tem|tem|sofre de|isso e|"
        rf"sembra(?: proprio)?|looks like|sounds like|parece)"
        rf"(?: (?:un['a-z]?|una|uno|an?|uma?|del|della|dell|probabilmente|chiaramente|sicuramente|"
        rf"probablemente|provavelmente|certamente|clearly))*[ '’]+{_ILLNESS}",
        r"\b(?:non e niente di grave|non e nulla di grave|nothing serious|no es nada grave|"
        r"nao e nada grave|non (?:serve|c['’]e bisogno d\w+) (?:il|un|del|andare dal)? ?(?:medico|dottore)|"
        r"(?:you )?(?:don['’]t|do not) need (?:to see )?(?:a|the) doctor|no (?:hace falta|"
        r"necesita\w*) (?:un |ir al |ver al )?(?:medico|doctor)|nao precisa de (?:um |ir ao )?medico)\b",
        r"\b(?:la (?:sua |tua )?diagnosi e|the diagnosis is|your diagnosis is|el diagnostico es|"
        r"o diagnostico e)\b",
    ),
    "legal": (
        rf"\b{_AS} {_LAWYER}\b(?:\W+\w+){{0,4}}?\W+{_SPEAKS}\b",
        rf"\b(?:vincer\w+|perder\w+|gan(?:ara|aras|ariamos|ara usted|aremos)|ganhar\w*|"
        rf"vencer\w*)\b(?:\W+\w+){{0,4}}?\W+{_CASE}",
        rf"\b{_CASE}\b(?:\W+\w+){{0,4}}?\W+(?:vincera\w*|vinciamo|vincerai|e vint[oa]|e gia vint[oa]|"
        rf"perdera\w*|ganara\w*|esta ganad[oa]|esta ganh[oa]|ganhara|vencera)\b",
        r"\b(?:you(?:['’]ll| will| would| are going to)|we(?:['’]ll| will)) (?:\w+ )?(?:win|lose)\b",
        rf"\b(?:your|the) {_CASE} is (?:a )?(?:strong|weak|solid|winnable|hopeless|certain|guaranteed)",
        r"\b(?:ha|hai|avete) (?:pienamente |sicuramente |certamente |tutto il )?(?:diritto (?:al|a un|"
        r"a chiedere un|di chiedere il) (?:risarciment|indennizz)\w*|ragione lei|torto lei)",
        r"\byou(?:['’]re| are) (?:legally |fully |clearly )?(?:entitled to (?:compensation|damages|sue)|"
        r"liable|in the right|not liable)",
        r"\b(?:tiene|tienes) (?:pleno |todo el )?derecho a (?:una? )?(?:indemniza\w*|demandar|reclamar)|"
        r"\btem (?:todo o )?direito a (?:uma? )?(?:indemniza\w*|indeniza\w*)",
        r"\b(?:la clausola|il contratto|il licenziamento|lo sfratto|the clause|the contract|"
        r"the dismissal|the eviction|la clausula|el contrato|el despido|el desahucio|a clausula|"
        r"o contrato|o despedimento|o despejo)"
        r"(?: \w+){0,2} (?:e|is|es) (?:\w+ )?(?:null[oa]|illegittim\w*|illegal\w*|invalid\w*|void|"
        r"unlawful|unfair|nul[oa]|improcedente|ilegal|ilicit[oa])\b",
        r"\b(?:non paghi (?:la multa|l['’]affitto|il canone)|faccia causa|fai causa|denunci (?:il|la|lo)|"
        r"you should (?:sue|plead|refuse to pay)|(?:don['’]t|do not) pay the (?:fine|rent)|sue (?:him|"
        r"her|them)|"
        r"no pague la multa|demande a|denuncie a|nao pague a multa|processe (?:o|a))\b",
    ),
    "financial": (
        rf"\b{_AS} {_BROKER}\b(?:\W+\w+){{0,4}}?\W+{_SPEAKS}\b",
        rf"\b(?:investa|investi|investire|compri|compra|comprare|venda|vendi|vendere|metta|metti|punti|"
        rf"buy|sell|invest|put your|hold|invierta|invierte|invertir|compre|venda|vende|ponga|invista|"
        rf"investir|aplique|coloque)"
        rf"\b(?:\W+\w+){{0,5}}?\W+(?:in|on|su|en|em|de|del|le|gli|i|il|las|los|the|as|os|o)?\s*{_ASSET}\b",
        rf"\b{_ASSET}\b(?:\W+\w+){{0,4}}?\W+(?:will (?:rise|go up|double)|salira|saliranno|crescera|"
        rf"subira|subiran|vai subir|vao subir|raddoppier\w*|conviene|is (?:a )?(?:safe|good|"
        rf"great) (?:investment|buy))",
        r"\b(?:e|is|es|sono) (?:un |una |a |the |um |uma )?(?:buon|ottimo|good|great|safe|sicuro|buena|"
        r"bom|boa|otimo|excelente|best|miglior) (?:invest\w+|inversion)",
        r"\b(?:invest\w+|inversion\w*|rendiment\w*|returns?) (?:\w+ ){0,2}(?:garantit\w*|guaranteed|"
        r"garantizad\w*|garantid\w*|sicur\w+)",
        r"\b(?:le|ti|vi) (?:consiglio|conviene|suggerisco) (?:\w+ ){0,2}(?:invest\w+|accendere|il mutuo|"
        r"estinguere)|\bi (?:recommend|suggest|advise) (?:\w+ ){0,2}(?:invest\w+|remortgag\w+)"
        r"|\b(?:le|te) (?:recomiendo|aconsejo|conviene) (?:\w+ ){0,2}(?:invert\w+|la hipoteca)|"
        r"\b(?:recomendo|aconselho)(?:-lhe)? (?:\w+ ){0,2}(?:invest\w+|aplicar)",
    ),
}
_COMPILED = {label: [re.compile(p) for p in patterns] for label, patterns in _PATTERNS.items()}


@dataclass(frozen=True)
class Advice:
    """What of a reply is advice: `label` is medical, legal or financial, `words` the wording found."""

    label: str
    words: str


def advice(reply: str) -> Advice | None:
    """The first piece of advice in a reply, in any of the four languages; None when none is seen. Pure."""
    folded = " ".join(fold(reply).split())
    for label, patterns in _COMPILED.items():
        for pattern in patterns:
            found = pattern.search(folded)
            if found:
                return Advice(label, found.group())
    return None
