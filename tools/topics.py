"""What a question is about, by its words. Texts are matched without case and accents, all languages at once:
customers mix them."""

import re

PRICE = re.compile(
    r"\bprezz|\bcost[aoi]\b|\bcostano\b|\btariff|\blistino|\bquanto (?:viene|vengono|e\b|fa\b|si paga|pago)"
    r"|\bhow much\b|\bpric(?:e|es|ing)\b|\bcosts?\b|\brates?\b|\bfees?\b"
    r"|\bcuanto (?:cuesta|cuestan|vale|valen|es\b|sale)|\bprecios?\b|\btarifas?\b|\bcuesta"
    r"|\bquanto (?:custa|custam|fica|sai|pago)|\bprecos?\b|\bcusta|\bvalor(?:es)?\b"
)
DURATION = re.compile(
    r"\bdura(?:ta|no)?\b|\bhow long\b|\bduration\b|\bcuanto tiempo\b|\bduracion\b|\bquanto tempo\b"
    r"|\bduracao\b|\bdemora\b|\bduram\b|\bduran\b"
)
HOURS = re.compile(
    r"\bapert[aio]\b|\baprite\b|\bapre\b|\bchius|\bchiud|\borari[oe]?\b|\bopen\b|\bopening\b|\bclos(?:e|ed|es|ing)\b|\bhours\b"
    r"|\babiert|\babr(?:e|en|is|em|imos)\b|\bcerrad|\bcierr|\bcerrais\b|\bhorarios?\b|\babert|\bfech(?:a|am|ad[oa]s?)\b"
    r"|\bencerr(?:a|am|ad[oa]s?)\b"
    r"|\bque horas? (?:\w+ )?(?:atende|atendem|funcionam?|atendeis|trabaj)"
    r"|\blavorate (?:anche )?(?:la|il|di|oggi|doman)"
    r"|\b(?:atendeis|trabajais|atienden|atendem|funcionam)"
    r" (?:los|el|os|as|ao|aos|a|na|no|hoy|hoje|manana|amanha)\b"
)
WHERE = re.compile(
    r"\bdove\b|\bdov'e\b|\bindirizz|\bcome (?:arriv|raggiung|si arriva)|\bwhere\b|\baddress\b"
    r"|\bdirections?\b|\bdonde\b|\bdireccion\b|\bcomo lleg|\bubicad|\bonde\b|\bmorada\b|\bendereco\b"
    r"|\bcomo cheg|\blocalizad"
)
CONTACT = re.compile(
    r"\btelefon|\bnumero di\b|\be-?mail\b|\bsito\b|\bphone\b|\bwebsite\b|\bcorreo\b|\bpagina web\b|\bsite\b"
    r"|\bcontatt[io]\b|\bcontactos?\b|\bcontatos?\b|\bcontact (?:details|you)\b"
)
SERVICES = re.compile(
    r"\b(?:che|quali|vostri|i) (?:servizi|trattamenti)\b|\bcosa (?:fate|offrite)\b|\blistino\b"
    r"|\b(?:what|which|your) (?:services|treatments)\b|\bwhat do you (?:offer|do)\b|\bprice list\b"
    r"|\b(?:que|cuales|sus|vuestros) (?:servicios|tratamientos)\b|\bque (?:haceis|hacen|ofreceis|ofrecen)\b"
    r"|\blista de precios\b"
    r"|\b(?:que|quais|vossos|os) (?:servicos|tratamentos)\b|\bo que (?:fazem|oferecem)\b|\btabela de precos\b"
)
