"""In which words a job speaks to a customer."""

from crm.businesses import Profile
from crm.contacts import ContactRow
from jobs.services import Services
from knowledge.phrases import Say


def speaker_to(services: Services, contact: ContactRow, profile: Profile) -> Say:
    """SARA's sentences in the customer's language, as the business addresses people in it."""
    return services.context.phrases.speaker(contact.reads or profile.language, formal=profile.pack.formal)
