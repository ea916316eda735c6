"""Every option, with its default and its SARA_* name. The only reader of the environment."""

import base64
import binascii
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.oidc.provider import is_private_way

# Read by libraries when they are imported, so set before anything imports them:
# checkpoints may hold nothing but plain data, and idle OpenMP threads must not spin on busy cores.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Matrices here are small: a second thread costs more than it brings, and cores are shared with customers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# LangChain's own tracer would send what it sees as it is. SARA's (graph/langsmith.py) masks it first, and is
# switched on by LANGSMITH_TRACING, which this older name of it overrules for everybody else.
os.environ["LANGSMITH_TRACING_V2"] = "false"

MOST_WHISPER_WORKERS = 8
GRAPH_API = "https://graph.facebook.com"


class Settings(BaseSettings):
    """Options from SARA_* variables or a .env file in the working directory."""

    model_config = SettingsConfigDict(
        env_prefix="SARA_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str | None = Field(
        None, description="PostgreSQL 15+ with pgvector; unset: an embedded one in SARA_DATA_DIR"
    )
    database_direct_url: str | None = Field(
        None,
        description="the same database past its pooler, where SARA_DATABASE_URL is one; unset: it is none",
    )
    data_dir: Path = Field(Path(".sara"), description="embedded database and model weights")
    database_connections: int = Field(12, ge=2, description="connections of one process to the record")

    llm: str = Field("ollama:llama3.1", description="ollama:NAME, openai:NAME or extractive")
    llm_fallback: str | None = Field(None, description="a second model, written like SARA_LLM")
    llm_base_url: str | None = Field(None, description="base URL of an OpenAI-compatible engine")
    llm_api_key: SecretStr | None = Field(None, description="its key, where it wants one")
    llm_timeout_s: float = Field(45.0, gt=0, description="seconds for one whole answer of a model")
    llm_at_once: int = Field(
        8,
        ge=1,
        le=1000,
        description="answers one worker asks of an engine at once: its places by the workers",
    )
    llm_wait_s: float = Field(
        3.0,
        ge=0,
        le=60,
        description="seconds a turn waits for a place at the engine; then the next of the chain",
    )
    ollama_base_url: str = Field("http://127.0.0.1:11434", description="where Ollama answers")
    embeddings: str = Field(
        "e5t+use", description="e5t+use or e5t (both bundled), ollama:NAME or openai:NAME"
    )
    whisper_model: str = Field("base", description="size, local directory or hub id")
    whisper_compute_type: str = Field(
        "auto", description="CTranslate2 compute type; auto: int8 where the processor has it"
    )
    whisper_workers: int = Field(
        default_factory=lambda: min(MOST_WHISPER_WORKERS, usable_cores()),
        ge=1,
        description="voice notes transcribed at once",
    )
    whisper_threads: int = Field(1, ge=1, description="cores for one voice note")

    whatsapp_base_url: str = Field(GRAPH_API, description="Graph API, or any simulator of it")
    whatsapp_api_version: str = Field("v23.0", description="version of the Graph API")
    whatsapp_app_secret: SecretStr = Field(
        SecretStr(""), description="signs webhooks; without it none is accepted"
    )
    whatsapp_verify_token: SecretStr = Field(
        SecretStr(""), description="what Meta's subscription page was given"
    )
    whatsapp_access_token: SecretStr = Field(SecretStr(""), description="bearer token for the Graph API")

    gather_seconds: float = Field(
        1.5, ge=0, description="how long a burst of messages is gathered into one turn"
    )
    worker_concurrency: int = Field(8, ge=1, le=64, description="turns and other jobs a worker runs at once")
    worker_deliveries: int = Field(
        16, ge=1, le=64, description="messages a worker has on their way at once, beside its turns"
    )
    worker_nice: int = Field(
        5, ge=0, le=19, description="how far a worker steps back where processors are short; 0: not at all"
    )
    unknown_grace_s: float = Field(6.0, gt=0, description="seconds an unknown send waits for its status")
    unknown_hold_s: float = Field(900.0, gt=0, description="seconds after which a person has to look at it")
    abstain_below: float = Field(
        0.5, ge=0, le=1, description="how sure a passage must be of answering to be taken for one"
    )
    confidence_below: float = Field(
        0.35, ge=0, le=1, description="a proposal less sure than this goes to a human"
    )
    media_most_bytes: int = Field(16 * 2**20, gt=0, description="largest voice note")
    voice_most_seconds: float = Field(
        300.0, gt=0, le=3600, description="longest voice note that is listened to"
    )
    audio_days: float = Field(
        30.0, ge=0, le=3650, description="days the sound of voice notes is kept; 0: never"
    )
    webhook_days: float = Field(30.0, ge=1, le=3650, description="days raw webhooks are kept")
    thread_days: float = Field(
        90.0, ge=1, le=3650, description="days what a closed conversation's thread remembered is kept"
    )
    thread_turns: int = Field(
        50, ge=2, le=100_000, description="turns of an open conversation that can be replayed"
    )
    status_days: float = Field(
        400.0, ge=90, le=3650, description="days statuses of messages are kept, where there are many"
    )
    contact_days: float | None = Field(
        None, ge=1, le=36500, description="days after which customers not heard of are erased; unset: never"
    )
    oidc_issuer: str | None = Field(
        None, description="a company's own OpenID provider through which agents may log in, as its issuer"
    )
    oidc_client_id: str = Field("", validate_default=True, description="what SARA is called there")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="its secret, where it has one")
    oidc_name: str = Field("", description="what the login page calls that provider; unset: its host")
    limit_caller: int = Field(
        600, ge=0, description="requests a minute by one API token or session, in each process; 0: no limit"
    )
    limit_address: int = Field(
        3000, ge=0, description="requests a minute by one network address, in each process; 0: no limit"
    )
    trail_days: float = Field(
        365.0, ge=30, le=36500, description="days it is kept who looked at which customer and who logged in"
    )
    audio_key: SecretStr | None = Field(
        None, description="32 bytes in base64 that encrypt kept sound; after a comma, older keys"
    )
    secret_key: SecretStr | None = Field(
        None, description="32 bytes in base64 that encrypt alert targets and webhook secrets; then older keys"
    )
    state_key: SecretStr | None = Field(
        None, description="32 bytes in base64 that encrypt what threads remember; then older keys"
    )
    public_url: str | None = Field(
        None, description="the https address where Meta and people reach this installation"
    )
    webhooks_allow_private: bool = Field(
        False, description="whether webhooks may go to private addresses and plain http"
    )
    handoff_apology_minutes: int = Field(
        30, ge=1, description="open minutes without a human answer before the customer is told"
    )
    handoff_idle_minutes: int = Field(
        60, ge=1, description="open minutes an agent may do nothing before a hand-over goes back"
    )
    google_client_id: str = Field("", description="OAuth client for Google Calendar")
    google_client_secret: SecretStr = Field(SecretStr(""), description="its secret")
    google_calendar_url: str = Field(
        "https://www.googleapis.com/calendar/v3", description="Google Calendar's interface"
    )
    metrics_host: str = Field("127.0.0.1", description="address where a worker shows its metrics")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="port where a worker shows its metrics at /metrics; unset: nowhere"
    )
    log_level: str = Field("info", description="debug, info, warning, error or critical")

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _is_a_server(cls, url: str | None) -> str | None:
        """An empty line is none: an empty SARA_DATABASE_URL= leads to the embedded database past a server
        that the .env file names."""
        return (url or "").strip() or None

    @field_validator("whatsapp_app_secret", "whatsapp_verify_token", "whatsapp_access_token")
    @classmethod
    def _as_meta_has_it(cls, secret: SecretStr) -> SecretStr:
        """Without the spaces and line ends that come with copying: with one, no webhook's signature fits."""
        return SecretStr(secret.get_secret_value().strip())

    @field_validator("whatsapp_access_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not is_token(token.get_secret_value()):
            raise ValueError("holds a space or a character that no token has: copy it again, whole and once")
        return token

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, address: str | None) -> str | None:
        """People may well reach the console over http in their own network; that Meta posts to https alone,
        `sara whatsapp connect` says."""
        address = (address or "").strip()
        parts = urlsplit(address)
        if address and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError("not an address such as https://sara.example.com, with its https://")
        return address or None

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, issuer: str | None) -> str | None:
        if not issuer:
            return None
        if not is_private_way(issuer) or "?" in issuer or "#" in issuer:
            raise ValueError("not the https address of an issuer, such as https://login.example.com")
        return issuer

    @field_validator("oidc_client_id")
    @classmethod
    def _is_known_there(cls, name: str, given: ValidationInfo) -> str:
        if given.data.get("oidc_issuer") and not name:
            raise ValueError("SARA_OIDC_ISSUER is set: this is what SARA is called there")
        return name

    @field_validator("audio_key", "secret_key", "state_key")
    @classmethod
    def _is_a_key(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is None or not split_keys(keys):
            return None
        if not all(_is_key(key) for key in split_keys(keys)):
            raise ValueError("not 32 bytes in base64: `openssl rand -base64 32` makes a key")
        return keys

    @property
    def pooled(self) -> bool:
        """Whether SARA_DATABASE_URL is a pooler that gives every transaction another session."""
        return self.database_url is not None and self.database_direct_url is not None

    @property
    def own_graph_api(self) -> bool:
        """Whether messages go to Meta's own Graph API."""
        return self.whatsapp_base_url.rstrip("/") == GRAPH_API


class LangSmith(BaseSettings):
    """LangSmith's own variables, as far as SARA heeds them; from the environment or the .env file."""

    model_config = SettingsConfigDict(
        env_prefix="LANGSMITH_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    tracing: bool = Field(False, description="whether turns are traced")
    api_key: SecretStr | None = Field(None, description="a key of LangSmith's")
    project: str = Field("sara", min_length=1, description="where traces go; one for each installation")
    endpoint: str = Field("https://api.smith.langchain.com", description="LangSmith, or one of your own")

    @field_validator("api_key")
    @classmethod
    def _is_set(cls, key: SecretStr | None) -> SecretStr | None:
        return key if key is not None and key.get_secret_value().strip() else None


PREFIXES = {"Settings": "SARA_", "LangSmith": "LANGSMITH_"}  # of the variables a class of settings reads


def langsmith(**overrides: object) -> LangSmith:
    """LangSmith's settings of this process; `overrides` win over the environment."""
    return LangSmith(**overrides)  # type: ignore[arg-type]


def usable_cores() -> int:
    """The cores this process may run on, which in a container are fewer than the machine's."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def split_keys(keys: SecretStr) -> list[str]:
    """The keys of SARA_AUDIO_KEY, SARA_SECRET_KEY or SARA_STATE_KEY in order."""
    return [key for key in keys.get_secret_value().replace(",", " ").split() if key]


def is_token(text: str) -> bool:
    """Whether an access token may look like this: it has to fit into a header; empty is none."""
    return text.isascii() and text.isprintable() and " " not in text


def _is_key(key: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(key)) == 32
    except (binascii.Error, ValueError):
        return False


def load(**overrides: object) -> Settings:
    """The settings of this process; `overrides` win over the environment."""
    return Settings(**overrides)  # type: ignore[arg-type]


def otlp_wanted() -> bool:
    """Whether OpenTelemetry's own variables name a collector for traces.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").casefold() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    names = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return any(os.environ.get(name) for name in names)


def shared_metrics() -> Path | None:
    """Where processes of one machine add up their metrics, by prometheus_client's own variable.

    https://prometheus.github.io/client_python/multiprocess/
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def environment_with(options: dict[str, str]) -> dict[str, str]:
    """What a process of our own inherits, with some options set."""
    return {**os.environ, **options}


def simulated(settings: Settings, base_url: str) -> Settings:
    """The settings with the built-in simulator in Meta's place; missing secrets are made up."""
    made = {
        name: getattr(settings, name)
        if getattr(settings, name).get_secret_value()
        else SecretStr(secrets.token_urlsafe(24))
        for name in ("whatsapp_app_secret", "whatsapp_verify_token", "whatsapp_access_token")
    }
    return settings.model_copy(update={**made, "whatsapp_base_url": base_url})
