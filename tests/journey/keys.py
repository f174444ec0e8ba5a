"""Hands on a keyboard and no mouse: presses are counted, words are typed."""

from dataclasses import dataclass, field

from playwright.sync_api import Page, expect

MOST_TABS = 60
MOST_MS = 60_000


@dataclass
class Keys:
    """Somebody who works by keys; `pressed` leaves out the letters of words."""

    page: Page
    pressed: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.pressed.append(key)
            self.page.keyboard.press(key)

    def says(self, words: str) -> None:
        self.page.keyboard.insert_text(words)

    def tabs_to(self, selector: str, key: str = "Tab") -> None:
        """Go on by Tab, or back by Shift+Tab, until what is meant has the focus."""
        for _ in range(MOST_TABS):
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                return
            self.press(key)
        raise AssertionError(f"{selector} cannot be reached by Tab")

    def sends(self, after: str = "") -> None:
        """Ctrl+Enter, and the page that follows; `after` is the code that must be gone from it."""
        with self.page.expect_navigation(timeout=MOST_MS):
            self.press("Control+Enter")
        if after:
            expect(self.page.locator(".ticket-head .code", has_text=after)).to_have_count(0)

    def count(self) -> int:
        """How many presses since the last count."""
        number, self.pressed = len(self.pressed), []
        return number


def signs_the_first(keys: Keys) -> None:
    """From the queue: the first row is signed for, and leaves the tab."""
    keys.press("j")
    code = keys.page.evaluate("document.activeElement.id")
    with keys.page.expect_navigation():
        keys.press("s")
    expect(keys.page.locator(".note.done")).to_contain_text(f"{code} 已开始办理")


def opens_the_first(keys: Keys) -> None:
    """From the queue: the first row's ticket."""
    keys.press("j")
    with keys.page.expect_navigation():
        keys.press("Enter")


def handles_the_one_on_the_page(keys: Keys, words: str) -> str:
    """From an open ticket: solved, the answer in words, and the next one comes by itself."""
    code = str(keys.page.locator(".ticket-head .code").inner_text())
    expect(keys.page.locator("#do-handle")).to_be_visible()
    keys.press("h", "Space", "Tab")
    keys.says(words)
    keys.sends(after=code)
    return code


def notes_the_answer(keys: Keys, solved: str = "1", satisfaction: str = "w") -> None:
    """From the page of a call: both questions, and the next call comes by itself."""
    with keys.page.expect_navigation():
        keys.press(solved, satisfaction, "Enter")
