"""The dashboard without a network: its application, asked directly."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from payment_simulator.dashboard.app import build_app
from payment_simulator.dashboard.security import Access
from payment_simulator.dashboard.source import Source

PORT = 8642
URL = f"http://127.0.0.1:{PORT}"


def client_of(path: Path, access: Access | None = None, url: str = URL) -> TestClient:
    """Return something that asks a dashboard of a record as a browser on this machine does."""
    app, _ = build_app(Source(path), access or Access("127.0.0.1", PORT))
    return TestClient(app, base_url=url, follow_redirects=False)


@dataclass
class Element:
    """An element of a page: its tag and what it is told."""

    tag: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """A page, taken apart as a browser would."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element down."""
        self.elements.append(Element(tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Take a text down."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """Return all that is said, with single blanks."""
        return " ".join("".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return what the elements of a kind are told."""
        return [element.attributes for element in self.elements if element.tag == tag]


def page_of(answer: Any, status: int = 200) -> Page:
    """Return the page of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)
