"""Reads and sends the forms of pages as a browser without script does."""

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from fastapi.testclient import TestClient
from httpx2 import Response

from api.identity.cookies import COOKIE

HERE: Final = {"Sec-Fetch-Site": "same-origin"}
DATA: Final = "events[0].data."


class FormRead(HTMLParser):
    """The form of a page that records: where it sends, what it says, and what it finds wrong.

    `errors` are the texts beside its fields, by the id of the field.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        self.problem = ""
        self._inside = self._reading = self._chosen = ""
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and "record-form" in given.get("class", ""):
            self.action = self._inside = given["action"]
        if not self._inside:
            return
        name = given.get("name", "")
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = given.get("value", "")
        elif tag in {"select", "textarea"}:
            self._chosen = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given:
            self.values[self._chosen] = given["value"]
        elif tag == "p" and given.get("class") == "error":
            self._reading = given["id"].removesuffix("-error")
        elif tag == "div":
            self._depth += 1 if self._depth else given.get("class") == "problem"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = ""
        if tag == "div" and self._depth:
            self._depth -= 1
        if tag == "p":
            self._reading = ""
        if tag in {"select", "textarea"}:
            self._chosen = ""

    def handle_data(self, data: str) -> None:
        if self._reading:
            self.errors[self._reading] = data
        if self._depth:
            self.problem += data
        if self._chosen and self.values[self._chosen] == "" and self.lasttag == "textarea":
            self.values[self._chosen] = data.removeprefix("\n")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in."""

    client: TestClient
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.cookie}"}

    def get(self, path: str) -> Response:
        return self.client.get(path, headers=self.headers)

    def form(self, path: str) -> FormRead:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return FormRead(answer.text)

    def send(self, action: str, values: Mapping[str, str], **headers: str) -> Response:
        sent = {**self.headers, **HERE, **headers}
        return self.client.post(action, data=dict(values), headers=sent)

    def record(self, path: str, /, filled: Mapping[str, str]) -> Response:
        """Fill in the form of a page, by the fields of its first event, and send it."""
        form = self.form(path)
        return self.send(form.action, form.values | named(filled))


def named(filled: Mapping[str, str]) -> dict[str, str]:
    """Give what is filled in by the names of the fields of a form's first event."""
    return {DATA + name: value for name, value in filled.items()}


def visitor(client: TestClient, credential: str) -> Visitor:
    """Sign somebody in."""
    client.cookies.clear()
    answer = client.post("/sign-in", data={"token": credential})
    assert answer.status_code in {200, 303}
    cookie = client.cookies[COOKIE]
    client.cookies.clear()
    return Visitor(client, cookie)
