"""CPU time by stack, by step, and as a flame graph."""

from __future__ import annotations

import signal
import time
from xml.etree import ElementTree as ET

from freehold.observe import flame, metrics
from freehold.observe.sampling import Samples, sampled
from freehold.observe.steps import OTHER, SERVICE, shares, step_of
from freehold.query import parse
from freehold.store import encode, unit

SVG = "{http://www.w3.org/2000/svg}"


def spin(seconds: float) -> None:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass


def test_what_computes_is_met_and_what_waits_is_not() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with sampled(Samples()) as samples:
        spin(0.03)
        assert samples.number == 0, "nothing is taken before it is asked for"
        samples.is_taking = True
        spin(0.2)
        time.sleep(0.05)
        samples.is_taking = False
    assert samples.number >= 10
    met = sum(number for stack, number in samples.stacks.items() if any(name == "spin" for _, name in stack))
    assert met / samples.number > 0.9
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF)[0] == 0


def test_the_innermost_code_that_is_known_decides_about_the_step() -> None:
    own, asgi = ("/srv/shop/orders.py", "total"), ("/x/site-packages/starlette/routing.py", "Route.handle")
    assert step_of([asgi]) == "dispatch"
    assert step_of([asgi, (parse.__file__, "parse")]) == "plan"
    assert step_of([asgi, (parse.__file__, "parse"), ("/usr/lib/python3.11/enum.py", "__call__")]) == "plan"
    assert step_of([(encode.__file__, "page"), ("/x/site-packages/orjson/__init__.py", "dumps")]) == "encode"
    assert step_of([asgi, (unit.__file__, "Unit.commit")]) == "commit"
    assert step_of([(unit.__file__, "Unit.commit"), ("/x/site-packages/sqlalchemy/engine/base.py", "f")]) == "statement"
    assert step_of([(metrics.__file__, "Metrics.request_done")]) == "edge"
    assert step_of([asgi, own]) == SERVICE
    assert step_of([("<frozen runpy>", "run")]) == OTHER


def test_shares_add_up_and_the_graph_shows_each_stack() -> None:
    samples = Samples()
    samples.stacks[(("/srv/shop/app.py", "main"), ("/srv/shop/orders.py", "Orders.total<int>"))] = 3
    samples.stacks[(("/srv/shop/app.py", "main"), (parse.__file__, "parse"))] = 1
    assert shares(samples) == {"plan": 0.25, SERVICE: 0.75}
    drawn = ET.fromstring(flame.flame_graph(samples, title="shop & co"))
    titles = [each.text for each in drawn.iter(f"{SVG}title")]
    assert titles == [
        "main (shop/app.py) 100.0%",
        "Orders.total<int> (shop/orders.py) 75.0%",
        "parse (query/parse.py) 25.0%",
    ]
    widths = [float(each.attrib["width"]) for each in drawn.iter(f"{SVG}rect")]
    assert widths == [1200.0, 900.0, 300.0]
