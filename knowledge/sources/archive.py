"""Office packages that are the same byte for byte whenever they are made."""

import io
import re
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")

Rewrite = Callable[[str, bytes], bytes]


def repacked(data: bytes, rewrite: Rewrite = lambda _name, content: content) -> bytes:
    """The package with fixed times in its directory and its properties; `rewrite` may change a member."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(data)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = rewrite(name, old.read(name))
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>2026-09-01T09:00:00Z\g<2>", content)
            member = ZipInfo(name, date_time=_EPOCH)
            member.compress_type = ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            new.writestr(member, content)
    return out.getvalue()
