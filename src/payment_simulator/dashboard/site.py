"""What every page has at hand: the record, the templates, and the word that the server ends."""

from __future__ import annotations

import threading
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from payment_simulator.dashboard.source import Source


class Site:
    """One dashboard.

    Parameters
    ----------
    source : Source
        The record.
    templates : jinja2.Environment
        The pages.

    Attributes
    ----------
    stopping : threading.Event
        Set when the server is to end; who follows a game lets go then.
    listeners : int
        Pages that follow something now.
    """

    def __init__(self, source: Source, templates: Environment) -> None:
        self.source = source
        self.stopping = threading.Event()
        self.listeners = 0
        self._templates = templates

    def render(self, template: str, **context: Any) -> str:
        """Return a page."""
        return self._templates.get_template(template).render(
            file_name=self.source.path.name, file_path=self.source.path, **context
        )

    def page(self, template: str, **context: Any) -> HTMLResponse:
        """Return a page as an answer."""
        return HTMLResponse(self.render(template, **context))


def site_of(request: Request) -> Site:
    """Return the dashboard that a request is made to."""
    site: Site = request.app.state.site
    return site
