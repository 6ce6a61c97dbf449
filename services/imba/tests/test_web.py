"""The client in Chromium: from a landlord's registration to a confirmed stay, and what every view owes its reader."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from rich.console import Console
from sqlalchemy import select

from freehold import system
from freehold.fields import now
from freehold.resource import clock
from freehold.store import Database

from .. import demo
from ..reservations.models import Reservation
from ..service import build
from ..settings import ImbaSettings
from . import scenes
from .browser import PHONE, PICTURES, Tab, Tabs, expect, launched
from .conftest import core

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(900)]

FILM = Path(__file__).parent / "film.webm"
# A landlord's draft, a film of it, and the address that shows it for some minutes to whoever has it.
_FILM = """async (encoded) => {
  const token = JSON.parse(sessionStorage['imba.session']).access;
  const ask = async (path, body, headers = {}) => (await fetch(path, { method: 'POST', body, headers: { authorization: `Bearer ${token}`, ...headers } })).json();
  const draft = { title: 'A film set', city: 'Anacortes', country: 'US', kind: 'house', price_per: 'night', price_amount: 100, price_currency: 'USD' };
  const home = await ask('/v1/properties', JSON.stringify(draft), { 'content-type': 'application/json' });
  const form = new FormData();
  form.set('purpose', 'video');
  form.set('property_id', home.id);
  form.set('file', new File([Uint8Array.from(atob(encoded), (each) => each.charCodeAt(0))], 'film.webm', { type: 'video/webm' }));
  const film = await ask('/v1/media', form);
  const { url } = await ask(`/v1/media/${film.id}/address`);
  if (!url) throw new Error(JSON.stringify([home, film]));
  return { url: new URL(url, location).href, content: new URL(`/v1/media/${film.id}/content`, location).href };
}"""
_SEEK = """([url, second]) => new Promise((done, failed) => {
  const film = document.createElement('video');
  film.onerror = () => failed(new Error(film.error.message));
  film.onloadedmetadata = () => { film.currentTime = second; };
  film.onseeked = () => done(film.currentTime);
  film.src = url;
  document.querySelector('main').append(film);
})"""
ADA, BEN = "ada@landlords.example", "ben@tenants.example"
PASSWORD = "a quiet walk at dusk"


@dataclass(frozen=True)
class Site:
    """Imba with some of its demo data on a real socket, a browser, and where its mails and our photos lie.

    over: the id of a stay that ended a few days ago.
    """

    tabs: Tabs
    mails: Path
    over: str
    files: dict[str, Path]

    def tab(self, **options: Any) -> Tab:
        """Another person's browser."""
        return self.tabs.open(**options)


@pytest.fixture
def site(served: Site) -> Iterator[Site]:
    """The same for every test, without the tabs of those before."""
    yield served
    served.tabs.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("web")
    own = ImbaSettings(require_verified_email=True)
    app = build(core=core(f"sqlite+aiosqlite:///{folder}/imba.db", folder), own=own, migrations=None)

    over: list[str] = []

    async def prepare() -> None:
        async with app.running():
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(demo, "LISTINGS", 60)
                patch.setattr(demo, "NIGHTLY", 40)
                if not PICTURES:  # nobody looks at them, and their variants are most of the work
                    patch.setattr(demo, "WITH_PHOTOS", 1)
                await demo.load(app.database, console=Console(file=io.StringIO()))
            over.append(await _a_stay_ends(app.database))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))

        def serve() -> None:
            # In this thread alone: the browser's driver has a loop of its own in the main one.
            asyncio.run(prepare())
            server.run([listener])

        thread = threading.Thread(target=serve)
        thread.start()
        with launched() as browser:
            files = scenes.taken(browser, folder)
            while not server.started and thread.is_alive():
                time.sleep(0.02)
            assert server.started
            tabs = Tabs(browser, f"http://127.0.0.1:{listener.getsockname()[1]}")
            yield Site(tabs, folder / "mail", over[0], files)
        server.should_exit = True
        thread.join(15)


async def _a_stay_ends(database: Database) -> str:
    """The next stay of the demo was over a few days ago; its id."""
    async with database.writing(system("a stay that is over")) as unit:
        ahead = select(Reservation).where(Reservation.status == "confirmed", Reservation.starts_at > now())
        stay = (await unit.session.scalars(ahead.order_by(Reservation.starts_at, Reservation.id).limit(1))).one()
        assert stay.check_in is not None
        assert stay.check_out is not None
        ago = stay.check_out - now().date() + timedelta(days=5)
        stay.check_in, stay.check_out = stay.check_in - ago, stay.check_out - ago
        stay.starts_at, stay.ends_at = stay.starts_at - ago, stay.ends_at - ago
        return str(stay.id)


def test_from_a_landlords_registration_to_a_confirmed_stay(site: Site) -> None:
    landlord, reviewer, tenant = site.tab(), site.tab(), site.tab()
    landlord.register("Ada Okafor", ADA, PASSWORD, side="landlord")
    landlord.verify(ADA, site.mails)
    home = _drafts_a_home(landlord)
    _sends_photos(landlord, site)
    _sets_terms(landlord)
    _keeps_calendars(landlord)
    _hands_documents_in(landlord, site)

    landlord.button("Publish it").click()
    landlord.page.get_by_text("Not verified yet: the landlord's identity and this property.").wait_for()

    reviewer.sign_in("staff@demo.example", demo.PASSWORD)
    _approves_the_landlord(reviewer)
    _asks_for_more(reviewer)
    _answers(landlord, site, home)
    _approves_the_home(reviewer)

    landlord.go(f"/my-homes/{home}/publish")
    landlord.button("Publish it").wait_for()
    landlord.seen("publish")
    landlord.button("Publish it").click()
    landlord.page.get_by_role("heading", name="It is on the market").wait_for()

    tenant.register("Ben Lindqvist", BEN, PASSWORD)
    tenant.verify(BEN, site.mails)
    stay = _reserves_with_keys_alone(tenant)

    landlord.go("/requests")
    landlord.seen("requests")
    landlord.button("Confirm").click()
    landlord.page.locator(".badge.confirmed").wait_for()

    tenant.page.reload()
    tenant.page.locator(".badge.confirmed").wait_for()
    tenant.page.get_by_text("14 Lamp Lane").wait_for()  # the street is for who has a confirmed stay
    tenant.seen("stay")
    tenant.go("/stays")
    tenant.page.locator(f"a[href$='{stay}']").wait_for()
    assert landlord.faults + reviewer.faults + tenant.faults == []


def _drafts_a_home(landlord: Tab) -> str:
    page = landlord.page
    landlord.go("/my-homes")
    page.get_by_role("link", name="Offer a home").first.click()
    landlord.fill(
        title="Lighthouse keeper's cottage", city="Anacortes", country="US", price_currency="USD", price_amount="a lot"
    )
    landlord.button("Make the draft").click()
    page.locator("[name=price_amount][aria-invalid=true]").wait_for()
    landlord.fill(price_amount="145.00")
    landlord.seen("new-home")
    landlord.button("Make the draft").click()
    page.get_by_role("navigation", name="Steps").wait_for()
    landlord.fill(
        description="Two rooms above the tide, with a stove, a wide sofa and the light of the harbour at night.",
        bedrooms="2", bathrooms="1.5", floor_area_sqm="74", year_built="1908", amenities="wood stove, view, bicycle shed",
        region="Washington", postcode="98221", street="14 Lamp Lane", latitude="48.5126", longitude="-122.6127",
        time_zone="America/Los_Angeles",
    )  # fmt: skip
    landlord.button("Save the details").click()
    page.locator(".steps .done", has_text="Details").wait_for()
    landlord.seen("details")
    return page.url.split("/")[-2]


def _sends_photos(landlord: Tab, site: Site) -> None:
    page = landlord.page
    page.get_by_role("link", name="Next: photos").click()
    page.locator("input[type=file]").set_input_files(
        [site.files[name] for name in ("living-room", "outside", "bedroom")]
    )
    page.locator(".shot-card .private-picture img[src]").nth(2).wait_for()
    page.get_by_role("button", name="Make outside.jpg the cover").click()
    page.locator(".shot-card", has=page.get_by_text("Cover", exact=True)).get_by_role(
        "button", name="Remove outside.jpg"
    ).wait_for()
    page.locator(".shot-card [name=alt_text]").nth(0).fill("The living room, with its stove")
    page.keyboard.press("Enter")
    landlord.told("Kept.")
    landlord.seen("photos")


def _sets_terms(landlord: Tab) -> None:
    page = landlord.page
    page.get_by_role("link", name="Next: terms").click()
    landlord.fill(cleaning_amount="30", deposit_amount="200", cancellation="moderate", max_guests="4")
    landlord.button("Add a discount").click()
    landlord.fill(**{"length_discounts/0/nights": "3", "length_discounts/0/basis_points": "200"})
    landlord.button("Save the terms").click()
    page.locator("[name='length_discounts/0/basis_points'][aria-invalid=true]").wait_for()
    landlord.fill(**{"length_discounts/0/basis_points": "10"})
    landlord.button("Save the terms").click()
    landlord.told("What is booked keeps its own terms")
    landlord.seen("terms")


def _keeps_calendars(landlord: Tab) -> None:
    page = landlord.page
    page.get_by_role("link", name="Next: nights").click()
    landlord.button("Make the address").click()
    secret = page.get_by_label("Secret address of the calendar")
    former = secret.input_value()
    assert page.request.get(former).ok
    page.get_by_text("Add one by its address").click()
    landlord.fill(url="http://127.0.0.1/calendar.ics")
    landlord.button("Read it").click()
    refused = page.locator("[name=url][aria-invalid=true]")
    refused.wait_for()
    assert "public internet" in page.locator(f"#{refused.get_attribute('id')}-error").inner_text()
    page.get_by_text("Add one from a file").click()
    page.locator("form:has([name=file]) [name=name]").fill("The other site")
    page.locator("[name=file]").set_input_files(
        {"name": "other.ics", "mimeType": "text/calendar", "buffer": scenes.calendar(now().date())}
    )
    landlord.button("Take it in").click()
    page.get_by_text("1 event, read").wait_for()
    landlord.seen("nights")
    landlord.button("Make a new one").click()
    landlord.told("The former shows nothing any more")
    expect(secret).not_to_have_value(former)
    assert (page.request.get(former).status, page.request.get(secret.input_value()).ok) == (404, True)
    page.get_by_role("button", name="Remove The other site").click()
    page.get_by_text("None yet.").wait_for()


def _hands_documents_in(landlord: Tab, site: Site) -> None:
    page = landlord.page
    page.locator(".steps a", has_text="Documents").click()
    person, home = page.locator("[data-subject=identity]"), page.locator("[data-subject=property]")
    person.locator("input[type=file]").set_input_files(site.files["identity-card"])
    person.locator("[name='documents/0/number']").fill("X 000 000 000")
    landlord.seen("documents")
    person.get_by_role("button", name="Have me verified").click()
    person.get_by_text("Being looked at").wait_for()
    home.get_by_role("button", name="Have this home verified").click()
    home.get_by_text("Being looked at").wait_for()
    page.locator(".steps a", has_text="Publish").click()


def _approves_the_landlord(reviewer: Tab) -> None:
    page = reviewer.page
    page.get_by_role("heading", name="Review").wait_for()
    reviewer.seen("queue")
    page.get_by_role("link", name="A landlord's identity").first.click()
    reviewer.button("Claim it").click()
    reviewer.button("Approve").wait_for()
    page.locator(".paper .private-picture img[src]").wait_for()
    reviewer.seen("review")
    reviewer.button("Approve").click()
    page.locator(".listing-head .badge.approved").wait_for()


def _asks_for_more(reviewer: Tab) -> None:
    page = reviewer.page
    reviewer.go("/review")
    page.get_by_role("link", name="Lighthouse keeper's cottage").click()
    reviewer.button("Claim it").click()
    reviewer.button("Ask for more").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Please add the deed.")
    page.get_by_role("dialog").get_by_role("button", name="Ask for more").click()
    page.locator(".listing-head .badge.information_needed").wait_for()


def _answers(landlord: Tab, site: Site, home: str) -> None:
    page = landlord.page
    landlord.load("/my-homes")
    page.get_by_role("link", name=re.compile(r"Notices, \d+ unread")).click()
    landlord.seen("notices")
    page.get_by_role("button", name="Open: Verification of your property").first.click()
    page.wait_for_url(f"**/my-homes/{home}/documents")
    asked = page.locator("[data-subject=property]")
    asked.get_by_text("Please add the deed.").wait_for()
    asked.locator("input[type=file]").set_input_files(site.files["deed"])
    asked.locator("[name='documents/0/expires_on']").wait_for()
    asked.get_by_role("button", name="Send the answer").click()
    asked.get_by_text("Being looked at").wait_for()


def _approves_the_home(reviewer: Tab) -> None:
    page = reviewer.page
    page.reload()
    reviewer.button("Claim it").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download deed.pdf").click()
    assert Path(download.value.path()).read_bytes() == scenes.DEED
    reviewer.button("Approve").click()
    page.locator(".listing-head .badge.approved").wait_for()


def _reserves_with_keys_alone(tenant: Tab) -> str:
    page, press = tenant.page, tenant.page.keyboard.press
    tenant.go("/")
    page.get_by_label("What and where").focus()
    page.keyboard.type("lighthouse")
    page.get_by_role("heading", name="1 home", exact=True).wait_for()
    page.locator(".results .card-title a").focus()
    press("Enter")
    page.get_by_role("button", name="Photo 1 of 3").focus()
    press("Enter")
    page.get_by_role("dialog", name="Photos").get_by_text("1 of 3").wait_for()
    press("ArrowRight")
    page.get_by_text("2 of 3: The living room, with its stove").wait_for()
    press("Escape")
    page.locator('.day[aria-label$=", free"]').nth(-6).focus()
    press("Enter")
    for _ in range(3):
        press("ArrowRight")
    press("Enter")
    page.locator(".sum .total").wait_for()
    assert page.locator(".sum").inner_text().split("\n") == [
        "3 nights × US$145.00", "US$435.00",  # noqa: RUF001  # as it is shown
        "For the length of the stay, 10 % less", "-US$43.50",
        "Cleaning", "US$30.00", "Total", "US$421.50", "Deposit, given back after the stay", "US$200.00",
    ]  # fmt: skip
    tenant.seen("home")
    page.get_by_role("button", name="Reserve").focus()
    press("Enter")
    page.locator(".badge.pending").wait_for()
    return page.url.rpartition("/")[2]


def test_Z11_who_leaves_for_good_gives_the_password_once_more(site: Site) -> None:
    tab = site.tab()
    tab.register("Cleo Marsh", "cleo@tenants.example", PASSWORD)
    tab.go("/account")
    tab.settled()
    later = clock.now() + timedelta(minutes=6)
    clock.set_source(lambda: later)
    try:
        tab.button("Erase the account").click()
        tab.page.get_by_role("button", name="Erase it for good").click()
        dialog = tab.page.get_by_role("dialog", name="Is it you?")
        dialog.wait_for()
        # The page asked without a password before, to learn whether there is a second factor: that is no try.
        tries: list[str] = []
        tab.page.on("request", lambda sent: tries.append(sent.url) if "not it" in (sent.post_data or "") else None)
        dialog.get_by_label("Password").fill("not it")
        dialog.get_by_role("button", name="Go on").click()
        dialog.get_by_text("is wrong").first.wait_for()
        assert len(tries) == 1, "a wrong password is one try"
        dialog.get_by_label("Password").fill(PASSWORD)
        dialog.get_by_role("button", name="Go on").click()
        tab.told("Your account is erased.")
    finally:
        clock.set_source(None)
    assert tab.faults == []


def test_errors_stand_beside_the_fields_that_the_api_names(site: Site) -> None:
    tab = site.tab()
    page = tab.page
    tab.go("/register")
    tab.fill(full_name="Ada Okafor", email="nobody", password="short")
    tab.button("Register").click()
    email = page.locator("[name=email][aria-invalid=true]")
    email.wait_for()
    assert "e-mail" in page.locator(f"#{email.get_attribute('id')}-error").inner_text()
    expect(email).to_be_focused()
    tab.seen("register")
    tab.go("/sign-in")
    tab.fill(username="nobody@tenants.example", password="not the password")
    tab.button("Sign in").click()
    page.locator(".summary").wait_for()
    assert "Request" in page.locator(".summary").inner_text()
    tab.go("/?bedrooms__gte=some")
    page.locator("[name=bedrooms__gte][aria-invalid=true]").wait_for()
    assert page.locator("#q-bedrooms__gte-error").inner_text() == "Expected an integer of at most 64 bits."
    assert tab.faults == []


def test_a_visit_is_asked_for_moved_and_cancelled_by_the_clock_of_the_home(site: Site) -> None:
    tab = site.tab(zone="Asia/Tokyo")
    page = tab.page
    tab.sign_in("tenant@demo.example", demo.PASSWORD)
    tab.go("/?price_per=sale")
    page.locator(".results:not([aria-busy]) .card-title a").first.click()
    times = page.locator(".slot-time")
    times.first.wait_for()
    page.get_by_text("by the clock of the home (America/Los Angeles)").wait_for()
    page.locator(".slot-day").nth(3).click()
    times.nth(1).locator("input").focus()
    page.keyboard.press("Space")
    tab.seen("visit")
    page.get_by_role("button", name="Ask for this visit").focus()
    page.keyboard.press("Enter")
    page.locator(".badge.pending").wait_for()
    before = page.locator(".pairs dd").first.inner_text()
    assert "America/Los Angeles" in before
    tab.button("Move it").click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".slot-day").nth(4).click()
    dialog.locator(".slot-time").nth(5).click()
    dialog.get_by_role("button", name="Move it").click()
    tab.told("Moved.")
    expect(page.locator(".pairs dd").first).not_to_have_text(before)
    page.locator("main:not(:has(.skeleton)) .badge.pending").wait_for()
    tab.button("Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    page.locator(".badge.cancelled").wait_for()
    assert tab.faults == []


def test_the_two_sides_write_to_each_other_and_review_the_stay(site: Site) -> None:
    tenant, landlord = site.tab(), site.tab()
    tenant.sign_in("tenant@demo.example", demo.PASSWORD)
    landlord.sign_in("landlord@demo.example", demo.PASSWORD)
    page = tenant.page
    tenant.go(f"/stays/{site.over}")
    tenant.button("Write to the landlord").click()
    page.get_by_role("dialog").get_by_label("Message").fill("We left the key under the pot.")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    page.get_by_text("We left the key under the pot.").wait_for()

    landlord.page.reload()
    landlord.page.get_by_role("link", name=re.compile(r"Messages, \d unread")).click()
    landlord.seen("messages")
    landlord.page.get_by_role("link", name="Wen", exact=True).first.click()
    landlord.fill(text="Thank you, found it.")
    landlord.button("Send").click()
    landlord.page.locator(".word.own", has_text="found it").wait_for()
    landlord.seen("thread")
    landlord.page.get_by_role("link", name="the reservation").click()
    # By keyboard: the picture of a star lies over its button, and moves while the page is laid out.
    landlord.page.get_by_label("4 stars").press("Space")
    expect(landlord.page.get_by_label("4 stars")).to_be_checked()
    landlord.fill(text="Left it spotless.")
    landlord.button("Hand the review in").click()
    landlord.button("Change it").wait_for()

    page.get_by_role("link", name="the reservation").click()
    tenant.button("Hand the review in").click()
    page.locator("[name=rating][aria-invalid=true]").first.wait_for()
    page.get_by_label("5 stars").focus()
    page.keyboard.press("Space")
    tenant.fill(text="Quiet and bright.")
    tenant.button("Hand the review in").click()
    tenant.button("Change it").wait_for()
    page.get_by_text("Nobody else reads it before the other side has written").wait_for()
    tenant.seen("done")

    _reports_and_blocks(tenant, landlord, site.tab())

    tenant.go("/?sort=-rating_average")
    page.locator(".results:not([aria-busy]) .card", has=page.locator(".rated")).get_by_role("link").first.click()
    page.get_by_text("everything as described").wait_for()
    page.locator(".heart[aria-pressed=true]").focus()
    page.keyboard.press("Enter")
    page.locator(".heart[aria-pressed=false]").wait_for()
    page.keyboard.press("Enter")
    page.locator(".heart[aria-pressed=true]").wait_for()
    tenant.seen("reviewed")
    landlord.go(page.url.partition("/app")[2].partition("?")[0])
    landlord.button("Change the answer").click()
    landlord.page.get_by_role("dialog").get_by_label("Answer").fill("Come back in spring!")
    landlord.page.get_by_role("dialog").get_by_role("button", name="Publish the answer").click()
    landlord.page.locator(".answer", has_text="in spring!").wait_for()

    landlord.go("/figures")
    landlord.page.get_by_role(
        "row", name=re.compile(r"^\w+ 20\d\d [1-9]")
    ).first.wait_for()  # nights of the demo's stays
    landlord.seen("figures")

    tenant.go("/?city=Seattle&bedrooms__gte=2&sort=price_amount")
    tenant.button("Save search").click()
    page.get_by_role("dialog").get_by_role("button", name="Save it").click()
    tenant.told("Saved.")
    tenant.go("/searches")
    search = page.get_by_role("link", name="Seattle · 2+ bedrooms")
    tenant.seen("searches")
    page.locator(".row-item", has=search).get_by_label("Tell me").uncheck()
    tenant.told("No more mails")
    search.click()
    page.wait_for_url("**city=Seattle&bedrooms__gte=2")

    tenant.go("/favourites")
    rated = page.locator(".card", has=page.locator(".rated"))
    rated.wait_for()
    tenant.seen("favourites")
    rated.locator(".heart").press("Enter")
    rated.wait_for(state="detached")
    assert tenant.faults + landlord.faults == []


def _reports_and_blocks(tenant: Tab, landlord: Tab, moderator: Tab) -> None:
    page, dialog = tenant.page, tenant.page.get_by_role("dialog")
    tenant.go("/messages")
    page.get_by_role("link", name="Ines", exact=True).first.click()
    tenant.button("Report").click()
    dialog.locator("[name=message_id]").select_option(label="Thank you, found it.")
    dialog.get_by_label("Why").select_option("off_platform")
    dialog.get_by_label("What should we know?").fill("It was meant for somebody else.")
    dialog.get_by_role("button", name="Report it").click()
    page.get_by_text("You have reported this").wait_for()
    tenant.button("Block Ines").click()
    tenant.button("Hear from Ines again").wait_for()
    landlord.go("/messages")
    landlord.page.get_by_role("link", name="Wen", exact=True).first.click()
    landlord.fill(text="Hello?")
    landlord.button("Send").click()
    landlord.page.locator(".summary", has_text="The other side takes no messages from you.").wait_for()

    moderator.sign_in("staff@demo.example", demo.PASSWORD)
    moderator.go("/reports")
    moderator.seen("reports")
    moderator.page.get_by_role("link", name="It asks to pay or write elsewhere").click()
    moderator.page.locator(".word.reported", has_text="Thank you, found it.").wait_for()
    moderator.seen("report")
    moderator.button("Uphold").click()
    asked = moderator.page.get_by_role("dialog")
    asked.get_by_label("What you found").fill("A harmless word.")
    asked.get_by_label("Close the conversation").check()
    asked.get_by_role("button", name="Uphold").click()
    asked.locator("[name=told][aria-invalid=true]").wait_for()
    asked.get_by_label("Close the conversation").uncheck()
    asked.get_by_role("button", name="Uphold").click()
    moderator.page.get_by_text("A harmless word.").wait_for()
    expect(moderator.page.locator(".word")).to_have_count(0)  # it is closed to staff again
    tenant.button("Hear from Ines again").click()
    tenant.button("Block Ines").wait_for()
    tenant.seen("talk")
    assert moderator.faults == []


def test_an_agent_is_asked_acts_for_a_home_and_is_let_go(site: Site) -> None:
    landlord, agent = site.tab(), site.tab()
    agent.register("Noor Haddad", "noor@agents.example", PASSWORD, side="agent")
    agent.page.get_by_role("heading", name="No mandates").wait_for()
    number = agent.page.get_by_label("Your number").input_value()
    agent.seen("agent")

    landlord.sign_in("landlord@demo.example", demo.PASSWORD)
    landlord.go("/my-homes")
    home = landlord.page.locator("main a[href*='/my-homes/']:not([href$='/new'])").first
    title, path = home.inner_text(), home.get_attribute("href") or ""
    landlord.go(re.sub(r".*(/my-homes/[^/]+).*", r"\1/publish", path))
    landlord.fill(agent="no number")
    landlord.button("Ask the agent").click()
    landlord.page.locator("[name=agent][aria-invalid=true]").wait_for()
    landlord.fill(agent=number)
    landlord.button("Ask the agent").click()
    landlord.button("Take it back").wait_for()

    agent.load("/mandates")
    agent.page.locator(".row-title", has_text="A home").wait_for()  # which one is told to whoever accepts
    agent.button("Accept").click()
    agent.page.locator(".badge.confirmed").wait_for()
    agent.seen("mandates")
    agent.page.locator(".row-title a").click()
    agent.page.get_by_role("heading", name=title).wait_for()

    landlord.load("/mandates")
    landlord.button("End it").click()
    landlord.page.locator(".badge.cancelled").wait_for()
    agent.load("/mandates")
    agent.page.locator(".badge.cancelled").wait_for()
    expect(agent.page.locator(".row-title a")).to_have_count(0)
    assert landlord.faults + agent.faults == []


def test_U03_a_film_of_a_draft_is_sought_in_by_its_signed_address(site: Site) -> None:
    tab = site.tab()
    tab.sign_in("landlord@demo.example", demo.PASSWORD)
    page = tab.page
    signed = page.evaluate(_FILM, base64.b64encode(FILM.read_bytes()).decode())
    assert page.request.get(signed["content"]).status == 404, "nobody sees it who is not told its address"
    pieces: list[int] = []
    page.on("response", lambda answer: pieces.append(answer.status) if answer.url == signed["url"] else None)
    with page.expect_response(signed["url"]):
        assert page.evaluate(_SEEK, [signed["url"], 15]) == pytest.approx(15, abs=0.5)
    assert set(pieces) == {206}
    assert tab.faults == []


def test_requests_at_once_share_one_refresh_and_no_view_scrolls_sideways_on_a_phone(site: Site) -> None:
    tab = site.tab(viewport=PHONE)
    page = tab.page
    tab.sign_in("tenant@demo.example", demo.PASSWORD)
    refreshes: list[str] = []
    page.on("request", lambda sent: refreshes.append(sent.url) if sent.url.endswith("/v1/auth/token") else None)
    page.evaluate(
        "() => { const kept = JSON.parse(sessionStorage['imba.session']);"
        " sessionStorage['imba.session'] = JSON.stringify({...kept, until: 0}); }"
    )
    tab.load("/account")
    page.get_by_text("This one").wait_for()
    assert len(refreshes) == 1
    page.get_by_label("Language of letters and notices").select_option("de")
    tab.button("Save").click()
    tab.told("Saved.")
    tab.seen("account")
    tab.go("/")
    tab.settled()
    tab.seen("search")
    first = page.locator(".card-title a").first.get_attribute("href") or ""
    for path in ("/", first.partition("/app")[2], "/stays", "/notices", "/account", "/nowhere"):
        tab.go(path)
        tab.settled()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert tab.faults == []
