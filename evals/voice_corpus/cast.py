"""Who speaks in the voice corpus, and in what noise: other people and noises in `dev` than in `test`."""

from evals.voice_corpus.speakers import Person

LANGUAGES = ("it", "en", "es", "pt")
P = Person
# The first two or three of a language grew up with it; the others speak it with an accent of their own.
TEST_CAST: dict[str, tuple[Person, ...]] = {
    "it": (P(("if_sara",)), P(("im_nicola",)), P(("if_sara",), 1.1, 1.08), P(("im_nicola",), 0.95, 0.94),
           P(("if_sara", "im_nicola")), P(("im_nicola", "em_alex"), 1.1), P(("if_sara", "ef_dora"), 0.95),
           P(("ff_siwis",), 1.0)),
    "en": (P(("af_heart",)), P(("am_michael",), 1.1), P(("bf_emma",), 1.0, phonetics="en-gb"), P(("joe",)),
           P(("bm_george",), 1.0, phonetics="en-gb"), P(("af_bella", "af_nova"), 1.1),
           P(("am_fenrir",), 0.95, 0.94), P(("if_sara",))),
    "es": (P(("ef_dora",)), P(("em_alex",)), P(("em_santa",), 1.05), P(("ef_dora",), 1.1, 1.08),
           P(("ef_dora", "em_alex"), 0.95), P(("em_alex",), 0.95, 0.94), P(("ef_dora", "pf_dora")),
           P(("if_sara",))),
    "pt": (P(("pf_dora",)), P(("pm_alex",)), P(("pm_santa",), 1.05), P(("pf_dora",), 1.1, 1.08),
           P(("pf_dora", "pm_alex"), 0.95), P(("pm_alex",), 0.95, 0.94), P(("pf_dora", "ef_dora")),
           P(("if_sara",), 0.95)),
}  # fmt: skip
DEV_CAST: dict[str, tuple[Person, ...]] = {
    "it": (P(("if_sara", "ff_siwis")), P(("im_nicola", "pm_alex")), P(("ef_dora",), 1.05),
           P(("im_nicola",), 1.15)),
    "en": (P(("af_sarah",)), P(("am_puck",), 1.1), P(("bm_daniel",), 1.0, phonetics="en-gb"),
           P(("joe",), 0.9)),
    "es": (P(("ef_dora", "if_sara")), P(("em_alex", "im_nicola")), P(("pf_dora",), 1.05),
           P(("em_santa",), 1.15)),
    "pt": (P(("pf_dora", "if_sara")), P(("pm_alex", "em_alex")), P(("ef_dora",), 1.05),
           P(("pm_santa",), 1.15)),
}  # fmt: skip
# Noise and its distance under the speech in dB; None is the noise's own.
TEST_NOISES = (("street", 15), ("café", 12), ("music", 12), ("phone", None), ("street", 10), ("café", 10),
               ("music", 8), ("phone", None))  # fmt: skip
DEV_NOISES = (("street", 12), ("café", 11), ("music", 10), ("phone", None))
FOREIGN_CAST = {"fr": "ff_siwis", "ja": "jf_alpha", "cmn": "zf_xiaoxiao", "hi": "hf_alpha", "de": "af_heart",
                "nl": "bm_george", "pl": "im_nicola", "ru": "am_michael", "tr": "em_alex", "sv": "bf_emma",
                "ro": "if_sara"}  # fmt: skip
SECOND_FOREIGN_CAST = {"ja": "jm_kumo", "cmn": "zm_yunxi", "hi": "hm_omega"}
