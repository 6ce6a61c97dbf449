"""Photos of a house that does not exist: drawn, and photographed by the browser."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

SIZE = {"width": 1200, "height": 800}
_FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 800" width="1200" height="800"><defs>
<linearGradient id="sky" x2="0" y2="1"><stop stop-color="#27406b"/><stop offset=".55" stop-color="#c98a7d"/><stop offset="1" stop-color="#f6d3a2"/></linearGradient>
<linearGradient id="sea" x2="0" y2="1"><stop stop-color="#b9868a"/><stop offset="1" stop-color="#2a3f5c"/></linearGradient>
<linearGradient id="wall" x2="1" y2="1"><stop stop-color="#f3ece1"/><stop offset="1" stop-color="#cfc1ac"/></linearGradient>
<linearGradient id="floor" x2="0" y2="1"><stop stop-color="#b98d5f"/><stop offset="1" stop-color="#7c5738"/></linearGradient>
<radialGradient id="glow"><stop stop-color="#ffe9b8" stop-opacity=".95"/><stop offset="1" stop-color="#ffcf7d" stop-opacity="0"/></radialGradient>
<linearGradient id="cloth" x2="1" y2="1"><stop stop-color="#5f7f79"/><stop offset="1" stop-color="#35524d"/></linearGradient>
<filter id="soft"><feGaussianBlur stdDeviation="14"/></filter></defs>{scene}</svg>"""
_OUTSIDE = """<rect width="1200" height="800" fill="url(#sky)"/><circle cx="860" cy="470" r="260" fill="url(#glow)"/>
<rect y="500" width="1200" height="300" fill="url(#sea)"/><g fill="#f9d9a8" opacity=".5"><rect x="800" y="512" width="130" height="5"/><rect x="770" y="534" width="190" height="4"/><rect x="826" y="560" width="90" height="4"/></g>
<path d="M0 560Q260 470 520 560T1200 690V800H0z" fill="#2d3a35"/><path d="M0 640Q300 560 640 650T1200 740V800H0z" fill="#1e2925"/>
<path d="M230 560V390L390 300l160 90v170z" fill="#e9dfd0"/><path d="M210 402 390 290l180 112-14 18L390 316 224 420z" fill="#7d3f36"/><rect x="470" y="270" width="34" height="80" fill="#8b6a5c"/>
<g fill="#ffdb8f"><rect x="270" y="430" width="52" height="66"/><rect x="458" y="430" width="52" height="66"/></g><rect x="366" y="440" width="50" height="120" fill="#4b3a33"/>
<path d="M390 560q60 90-40 240h-90q110-130 90-240z" fill="#8b7b6a" opacity=".75"/><path d="M640 610v-90q28 40 0 90zm46 20v-70q22 32 0 70z" fill="#16201c"/>"""
_LIVING = """<rect width="1200" height="800" fill="url(#wall)"/><rect y="590" width="1200" height="210" fill="url(#floor)"/>
<rect x="90" y="110" width="430" height="330" fill="#fdfaf2"/><rect x="106" y="126" width="398" height="298" fill="url(#sky)"/><rect x="106" y="330" width="398" height="94" fill="url(#sea)"/><path d="M106 350q90-40 190 0t208 20v54H106z" fill="#2d3a35"/>
<path d="M296 126h18v298h-18zM106 268h398v14H106z" fill="#fdfaf2"/><ellipse cx="640" cy="700" rx="470" ry="62" fill="#d8b48a"/><ellipse cx="640" cy="700" rx="420" ry="48" fill="#b5563f" opacity=".55"/>
<g><rect x="300" y="500" width="560" height="150" rx="34" fill="url(#cloth)"/><rect x="270" y="540" width="80" height="130" rx="30" fill="#35524d"/><rect x="810" y="540" width="80" height="130" rx="30" fill="#35524d"/><rect x="350" y="470" width="220" height="110" rx="26" fill="#6b8f88"/><rect x="590" y="470" width="220" height="110" rx="26" fill="#6b8f88"/><rect x="384" y="500" width="90" height="80" rx="16" fill="#e6b765"/></g>
<circle cx="985" cy="300" r="230" fill="url(#glow)" filter="url(#soft)"/><path d="M940 300h90l26 80H914z" fill="#fff3d6"/><path d="M980 380h10v250h-10zM940 630h90v14h-90z" fill="#5b4a3c"/>
<path d="M1090 640c-60-150-20-220 10-290 10 80 70 130 30 290zm10 0c40-120 80-150 90-180-4 70-20 130-60 180z" fill="#4d7350"/><rect x="1050" y="630" width="110" height="80" rx="10" fill="#a65f45"/>"""
_BEDROOM = """<rect width="1200" height="800" fill="#dfe4df"/><rect width="1200" height="800" fill="url(#wall)" opacity=".5"/><rect y="620" width="1200" height="180" fill="url(#floor)"/>
<rect x="780" y="90" width="300" height="380" fill="#fdfaf2"/><rect x="796" y="106" width="268" height="348" fill="url(#sky)"/><path d="M740 70q60 220 20 460h-50V70zm380 0q-60 220-20 460h50V70z" fill="#eee2d2"/>
<rect x="150" y="330" width="560" height="220" rx="20" fill="#8a6547"/><rect x="130" y="470" width="700" height="170" rx="24" fill="#f7f4ee"/><path d="M130 540h700v90q-350 50-700 0z" fill="#7f97a8"/><path d="M130 560q350 40 700 0v22q-350 40-700 0z" fill="#6b8496"/>
<rect x="190" y="410" width="220" height="100" rx="34" fill="#fffdf8"/><rect x="440" y="410" width="220" height="100" rx="34" fill="#fffdf8"/><rect x="330" y="440" width="180" height="80" rx="28" fill="#d9a066"/>
<circle cx="80" cy="360" r="170" fill="url(#glow)" filter="url(#soft)"/><path d="M50 360h60l18 56H32z" fill="#fff3d6"/><rect x="30" y="500" width="100" height="140" fill="#6e4f38"/><rect x="74" y="416" width="12" height="84" fill="#5b4a3c"/><rect x="290" y="150" width="280" height="130" fill="#fdfaf2"/><path d="M306 264l80-80 60 50 40-30 70 60z" fill="#6f8f86"/>"""
_CARD = """<rect width="1200" height="800" fill="#dfe6ea"/><rect x="60" y="60" width="1080" height="680" rx="40" fill="#fbfcfc"/><rect x="60" y="60" width="1080" height="120" rx="40" fill="#3a5a78"/>
<text x="120" y="140" font-family="sans-serif" font-size="52" fill="#fff">SPECIMEN · IDENTITY CARD</text><rect x="120" y="250" width="300" height="380" rx="16" fill="#cfd8de"/><circle cx="270" cy="380" r="80" fill="#8fa3b0"/><path d="M140 630q130-190 260 0z" fill="#8fa3b0"/>
<g font-family="sans-serif" font-size="44" fill="#2b3a45"><text x="480" y="320">Okafor</text><text x="480" y="400">Ada</text><text x="480" y="480">No. X 000 000 000</text></g><g fill="#b8c6cf"><rect x="480" y="540" width="560" height="24"/><rect x="480" y="590" width="420" height="24"/></g>"""
SCENES = {"outside": _OUTSIDE, "living-room": _LIVING, "bedroom": _BEDROOM, "identity-card": _CARD}
DEED = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def taken(browser: Any, folder: Path) -> dict[str, Path]:
    """The files, by the name of what they show: JPEG, and a deed as PDF."""
    page = browser.new_page(viewport=SIZE)
    files = {}
    for name, scene in SCENES.items():
        page.set_content(f"<style>body{{margin:0}}</style>{_FRAME.format(scene=scene)}")
        files[name] = folder / f"{name}.jpg"
        page.screenshot(path=files[name], type="jpeg", quality=88)
    page.close()
    files["deed"] = folder / "deed.pdf"
    files["deed"].write_bytes(DEED)
    return files


def calendar(today: date) -> bytes:
    """A calendar of another site: two nights are booked there, in forty days."""
    first, beyond = (f"{today + timedelta(days=ahead):%Y%m%d}" for ahead in (40, 42))
    event = ["UID:a@elsewhere.example", f"DTSTART;VALUE=DATE:{first}", f"DTEND;VALUE=DATE:{beyond}"]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Elsewhere//EN",
        "BEGIN:VEVENT",
        *event,
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join([*lines, ""]).encode()
