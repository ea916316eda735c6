"""What can go wrong with what SARA may say, told apart by what the caller does about it."""


class KnowledgeError(Exception):
    """The knowledge base could not do its work. `retryable` says whether the same call may succeed later."""

    retryable = False


class KnowledgeUnavailable(KnowledgeError):
    """The database behind the knowledge base does not answer: check that it runs, then try again."""

    retryable = True


class SchemaMissing(KnowledgeError):
    """The tables of the knowledge base are not there: run `sara migrate`."""


class DimensionMismatch(KnowledgeError):
    """The embedding model's vectors do not fit the stored ones: use the model the base was built with."""


class SpaceMissing(KnowledgeError):
    """Nothing is embedded with this model yet: run `sara reindex`."""


class UnknownBusiness(KnowledgeError):
    """No business of that id: add it first, `sara business add`."""


class UnreadableDocument(KnowledgeError):
    """One file cannot be read; the message says why and what to do. The others are not touched by it."""


class DocumentMissing(UnreadableDocument):
    """there is no such file or folder: check the path"""


class DocumentEmpty(UnreadableDocument):
    """there is no text in it: fill it or remove it"""


class DocumentTooBig(UnreadableDocument):
    """it is larger than a document may be: split it into several files"""


class DocumentBinary(UnreadableDocument):
    """it is neither text nor a document that can be read: export it as PDF, Markdown, HTML or CSV"""


class FormatUnknown(UnreadableDocument):
    """files of this kind cannot be read: save it as .pdf, .docx, .xlsx, .md, .html, .csv or .txt"""


class DocumentLocked(UnreadableDocument):
    """it is protected by a password: save a copy without one"""


class DocumentScanned(UnreadableDocument):
    """it is a scan, it has no text layer: run text recognition (OCR) on it, or export it from its source"""


class DocumentDamaged(UnreadableDocument):
    """it is damaged or cut short: open it in its program and save it anew"""


class DocumentSuspect(UnreadableDocument):
    """it is built to do harm when it is read: export it anew from its source"""


class BadEncoding(UnreadableDocument):
    """its characters cannot be decoded: save it as UTF-8"""


class BadMetadata(UnreadableDocument):
    """the lines that describe the document (title, language, valid_from, valid_until) are wrong"""


class BadTable(UnreadableDocument):
    """its table cannot be read"""


class DocumentNameTaken(UnreadableDocument):
    """another file of this run has the same name: rename one, or ingest the folder above both"""
