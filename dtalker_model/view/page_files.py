"""The files of the page: an exact list made at the start, so that no request can name a file outside of it."""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
INLINE_SCRIPT = re.compile(rb"<script type=\"importmap\">(.*?)</script>", re.DOTALL)


@dataclass(frozen=True)
class PageFile:
    """A file that is served as it is."""

    path: Path
    content_type: str


def page_files(folder: Path = PAGE) -> dict[str, PageFile]:
    """Every servable file below `folder` by its path in the address, ``/`` first among them."""
    files = {
        "/" + path.relative_to(folder).as_posix(): PageFile(path, TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in TYPES
    }
    return {"/": files["/index.html"], **files}


def security_headers(folder: Path = PAGE) -> dict[str, str]:
    """Nothing but this server: no other host, no inline script but the import map, no frame around the page."""
    allowed = " ".join(
        f"'sha256-{_digest(script)}'" for script in INLINE_SCRIPT.findall((folder / "index.html").read_bytes())
    )
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {allowed}",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "connect-src": "'self' blob:",
        "worker-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def _digest(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()
