"""The company's own login, where one is configured."""

from channels.oidc.provider import Provider
from sara.settings import Settings


def provider_of(settings: Settings) -> Provider | None:
    """The OpenID provider of SARA_OIDC_ISSUER; it is asked at the first login, so that serving needs none."""
    if settings.oidc_issuer is None:
        return None
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        name=settings.oidc_name,
    )
