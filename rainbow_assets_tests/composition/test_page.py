"""The review page: what it serves and refuses, and what a person does with it in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rainbow_assets.composition import review
from rainbow_assets_tests.composition.pages import EVIL, ask, until
from rainbow_assets_tests.composition.pages import composed as composed
from rainbow_assets_tests.composition.pages import page as page


def said(folder: Path) -> list[review.HumanVerdict]:
    return review.read(folder)


def test_the_page_escapes_all_text_and_takes_changes(page: tuple[str, Path]) -> None:
    address, folder = page
    status, body, headers = ask(address, "GET", "/")
    text = body.decode()
    assert status == 200 and "<script>document" not in text and "&lt;script&gt;" in text and "onerror=&#34;" in text
    assert "default-src 'none'" in headers["content-security-policy"] and headers["cache-control"] == "no-store"
    path, change = f"/api/{folder.name}/{said(folder)[0].midi_sha256}", {"field": "status", "value": "approved", "was": "pending"}
    for odd in ([], {"field": "status"}, {"field": "midi_file", "value": "x", "was": ""}, {"field": 1, "value": 2, "was": 3}):
        assert ask(address, "POST", path, odd)[0] in (400, 409)
    assert ask(address, "POST", f"/api/{folder.name}/{'0' * 64}", change)[0] == 409
    assert [item.status for item in said(folder)] == ["pending"] * 2
    status, body, _ = ask(address, "POST", path, change)
    assert status == 200 and json.loads(body)["status"] == "approved" and said(folder)[0].status == "approved"


def test_pieces_play_in_stretches_and_nothing_else_is_served(page: tuple[str, Path]) -> None:
    address, folder = page
    stem = Path(said(folder)[0].midi_file).stem
    status, body, headers = ask(address, "GET", f"/pieces/{folder.name}/{stem}.flac", Range="bytes=0-3")
    assert status == 206 and body == b"fLaC" and headers["content-type"] == "audio/flac"
    assert ask(address, "GET", f"/pieces/{folder.name}/{stem}.drums.flac")[0] == 200
    assert ask(address, "GET", f"/pieces/{folder.name}/{stem}.mid")[1][:4] == b"MThd"
    for path in (f"/pieces/{folder.name}/../review.yml", f"/pieces/{folder.name}/..%2freview.yml", "/review.html.j2",
                 "/pieces/%2e%2e/review.yml", f"/pieces/{folder.name}/final_9-00000000.flac", "/../page.py"):
        assert ask(address, "GET", path)[0] == 404, path
    (folder / "review.yml").write_text("candidates: [")
    status, body, _ = ask(address, "GET", "/")
    assert status == 200 and b"nothing was changed; fix the line" in body, "a broken review is said on the page"


def test_a_person_hears_compares_and_decides(page: tuple[str, Path], window: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    address, folder = page
    window.get(f"{address}/")
    assert window.title == "Review · rainbow_assets" and EVIL in window.find_element(By.TAG_NAME, "h2").text
    cards = window.find_elements(By.TAG_NAME, "article")
    assert len(cards) == 2 and all(card.find_element(By.CSS_SELECTOR, ".roll svg path[fill]") for card in cards)

    def key(*keys: str) -> None:
        window.switch_to.active_element.send_keys(*keys)

    # By mouse: approve the first, name it.
    cards[0].find_element(By.CSS_SELECTOR, "[data-set=approved]").click()
    until(lambda: said(folder)[0].status == "approved")
    cards[0].find_element(By.NAME, "label").send_keys("verse", Keys.TAB)
    until(lambda: said(folder)[0].label == "verse")
    # By keyboard: the second gets the same label and is refused, then another, and notes.
    cards[0].click()
    cards[1].find_element(By.NAME, "label").send_keys("verse", Keys.TAB)
    until(lambda: said(folder)[1].label == "verse")
    window.execute_script("arguments[0].focus()", cards[0])
    key("j")
    assert window.switch_to.active_element == cards[1]
    key("a")
    told = cards[1].find_element(By.TAG_NAME, "output")
    until(lambda: "is already approved as 'verse'" in told.text)
    assert said(folder)[1].status == "pending" and cards[1].get_attribute("data-status") == "pending"
    key("n")
    key("too <busy>", Keys.ESCAPE)
    until(lambda: said(folder)[1].notes == "too <busy>")
    key("r")
    until(lambda: said(folder)[1].status == "rejected")
    assert cards[1].find_element(By.CSS_SELECTOR, "[data-set=rejected]").get_attribute("aria-pressed") == "true"

    # It plays, one at a time, and A/B goes on at the same place.
    players = [card.find_element(By.CSS_SELECTOR, ".mix") for card in cards]
    key("m")
    key("k")
    key("m")
    assert [card.find_element(By.CLASS_NAME, "mark").text for card in cards] == ["B", "A"]
    key(" ")
    until(lambda: float(players[0].get_property("currentTime")) > 0.3)
    key("x")
    until(lambda: not players[1].get_property("paused") and float(players[1].get_property("currentTime")) > 0.3)
    assert players[0].get_property("paused") and "playing A" in window.find_element(By.ID, "ab").text

    # A hand edits the file meanwhile: the page says so, and loses nothing.
    review.change(folder, said(folder)[0].midi_sha256, "status", "rejected", "approved")
    cards[0].find_element(By.CSS_SELECTOR, "[data-set=pending]").click()
    until(lambda: "somebody changed status to 'rejected' meanwhile" in cards[0].find_element(By.TAG_NAME, "output").text)
    window.refresh()
    assert [card.get_attribute("data-status") for card in window.find_elements(By.TAG_NAME, "article")] == ["rejected"] * 2
    assert not [entry for entry in window.get_log("browser") if "Content Security" in entry["message"]]
