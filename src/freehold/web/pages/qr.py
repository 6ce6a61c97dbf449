"""A QR code as a picture that stands in the page itself: nobody else is asked to draw a secret."""

from __future__ import annotations

import base64
from io import BytesIO


def qr_code(text: str) -> str:
    """A `data:` address of an SVG."""
    import segno  # noqa: PLC0415  # one page draws a code, and few ever ask for it

    drawn = BytesIO()
    # Quiet zone of four modules (ISO/IEC 18004), and colours of its own: cameras want dark on light in dark mode, too.
    segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff")
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
