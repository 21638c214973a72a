"""The page in a real browser: what people see and do, and what axe-core says of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.config import loads
from edgeinfer.events import Readings
from tests.waiting import wait_for
from tests.web.conftest import served

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[2] / ".cache/node/node_modules/axe-core/axe.min.js"
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, page):
    """A page that has loaded, and fails the test for what the browser complains of."""
    yield from opened(browser, page.url)


def opened(browser, url, **options):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    tab = context.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.goto(url, wait_until="domcontentloaded")
    yield tab
    context.close()
    assert complaints == []


def violations(tab):
    """What axe-core finds, as text; it is run from outside of the page's policy."""
    tab.evaluate(AXE.read_text())
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{v['id']}: {v['help']} {[n['html'] for n in v['nodes']]}" for v in found]


def settled(tab):
    wait_for(lambda: tab.evaluate("document.querySelector('[data-source] img')?.naturalWidth > 1"))
    tab.wait_for_selector("#log li")
    tab.wait_for_selector("#posts tr")


def test_picture_decisions_and_health_are_seen(tab):
    settled(tab)
    assert tab.title() == "press-07 · edgeinfer"
    assert tab.text_content("#condition") == "All is well"
    assert "in-view" in tab.text_content("#log")
    assert "pipeline.inspection" in tab.text_content("#posts")
    assert tab.locator("#posts button").count() == 0  # nothing is allowed


def test_readings_are_drawn_and_said_in_words(tab, page):
    settled(tab)
    for n, value in enumerate([1.0, 5.0, 2.5]):
        block = Readings(
            ("motor", n), page.daemon.outbox.clock.now().later(n * 10**9), ("rms",), np.array([[value]])
        )
        page.daemon.taps("source.motor", block)
    wait_for(lambda: "motor rms: 2.500" in (tab.text_content("#plots") or ""))
    assert "1.000 to 5.000" in tab.get_attribute("#plots canvas", "aria-label")
    inked = "Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).some(v => v)"
    assert tab.evaluate(f"(() => {{ const c = document.querySelector('#plots canvas'); return {inked}; }})()")


def test_why_explains_a_decision(tab):
    settled(tab)
    tab.locator("#log li button").last.click()
    tab.wait_for_selector("#why-text pre")
    assert "kind" in tab.text_content("#why-text")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#why")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/draw"])
def test_axe_finds_nothing_wrong(browser, page, path, scheme):
    for tab in opened(browser, page.url + path, color_scheme=scheme):
        if path == "/":
            settled(tab)
        else:
            wait_for(lambda: tab.evaluate("document.querySelector('#picture').naturalWidth > 1"))
            tab.focus("#canvas")
            for _ in range(3):
                tab.keyboard.press("Enter")
        assert violations(tab) == []


@pytest.mark.parametrize("path", ["/", "/draw"])
def test_a_phone_need_not_scroll_sideways(browser, page, path):
    for tab in opened(browser, page.url + path):
        tab.set_viewport_size({"width": 360, "height": 740})
        tab.wait_for_timeout(300)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_zone_drawn_with_the_mouse_becomes_toml(browser, page):
    for tab in opened(browser, page.url + "/draw"):
        wait_for(lambda: tab.evaluate("document.querySelector('#picture').naturalWidth > 1"))
        box = tab.locator("#canvas").bounding_box()
        for x, y in [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75)]:
            tab.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        zone = loads(tab.text_content("#toml"), "drawn", problems=[]).of("rule")["my-zone"].options["zone"]
        assert [[round(v, 1) for v in corner] for corner in zone] == [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8]]


def test_a_zone_is_drawn_with_the_keyboard_alone(browser, page):
    for tab in opened(browser, page.url + "/draw"):
        wait_for(lambda: tab.evaluate("document.querySelector('#picture').naturalWidth > 1"))
        tab.focus("#canvas")
        for key in ["Enter", "ArrowRight", "Enter", "Shift+ArrowDown", "Enter", "Enter", "Backspace"]:
            tab.keyboard.press(key)
        assert "zone = [[0.5, 0.5], [0.52, 0.5], [0.52, 0.502]]" in tab.text_content("#toml")
        tab.fill("#corners input >> nth=0", "0.1")
        assert "zone = [[0.1, 0.5]" in tab.text_content("#toml")


def test_the_zone_of_a_rule_can_be_drawn_anew(browser, page):
    for tab in opened(browser, page.url + "/draw"):
        tab.wait_for_selector("#rule option[value='in-view']", state="attached")
        tab.select_option("#rule", "in-view")
        assert re.fullmatch(r"zone = \[\[0.1, 0.1\], .*\]\n", tab.text_content("#toml"))
        assert "[rule.in-view]" in tab.text_content("#where")


def test_a_page_that_may_pauses_and_resumes(browser, tmp_path):
    for page in served(tmp_path, 'allow = ["pause", "resume"]'):
        for tab in opened(browser, page.url):
            tab.click("#posts button:has-text('Pause')")
            wait_for(lambda: page.daemon.health.post("pipeline.inspection").condition == "paused")
            tab.click("#posts button:has-text('Resume')")
            wait_for(lambda: page.daemon.health.post("pipeline.inspection").condition == "ok")


def test_markup_in_what_the_device_tells_stays_text(tab):
    settled(tab)
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    tab.route("**/api/decisions*", lambda route: route.fulfill(json=[
        {"id": "a" * 16, "at": "2026-01-01T00:00:00Z", "rule": evil, "state": evil, "details": {evil: evil}, "pipeline": evil}
    ]))  # fmt: skip
    tab.select_option("#hours", "0")
    wait_for(lambda: tab.evaluate("document.querySelector('#log').textContent.includes('onerror')"))
    assert tab.locator("#log img, #log script").count() == 0
    assert tab.title() == "press-07 · edgeinfer"


def test_another_page_can_neither_show_pictures_nor_give_commands(browser, page):
    context = browser.new_context()
    tab = context.new_page()
    answered = []
    tab.on("response", lambda got: answered.append(got.status) if got.url.startswith(page.url) else None)
    tab.route(
        "http://evil.example/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html")
    )
    tab.goto("http://evil.example/")
    tab.evaluate(
        """(url) => fetch(url + "/api/command", {method: "POST", mode: "no-cors", body: "{}"}).catch(() => null).then(() => 0)""",
        page.url,
    )
    shown = tab.evaluate(
        """(url) => new Promise((done) => { const image = new Image(); image.onload = () => done(true);
        image.onerror = () => done(false); image.src = url + "/picture/belt"; })""",
        page.url,
    )
    assert shown is False
    assert set(answered) <= {403}
    context.close()


def test_the_first_paint_is_not_waited_for(browser, page):
    """The bound of the issue, 0.5 s, is measured by benchmarks/web.py; here: nothing but the sheet comes before it."""
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    asked = []
    tab.on("request", lambda request: asked.append(request.url.removeprefix(page.url)))
    tab.goto(page.url)
    assert tab.is_visible("h1")
    assert set(asked) <= {"/", "/page.css", "/icon.svg", "/page.js", "/plots.js"}
    context.close()
