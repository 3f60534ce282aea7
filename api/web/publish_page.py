"""What the page that publishes a process shows: its form, and what a version was found to be."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from api.web import format as f
from api.web.asof import query_of
from api.web.form_parts import Field, Filled, Form, Part, Since
from api.web.process_page import RuleFindings, findings_of
from api.web.process_stages import Otherwise, Stage, stages_of, whole_of
from api.web.publish_text import MOST_TEXT, TEXT, text_of
from api.web.reads import Answer
from api.web.record_form import new_key, refused
from api.web.record_words import Words

PATH: Final = "/process/publish"
PROCESS: Final = "process"
_CHECKED: Final = "checked"
"""The field that says what the findings were shown of."""
_TITLE: Final = "Publish a version"
_SHOWN: Final = ("seen", PROCESS, TEXT)


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a version before it is published; `before` is the one it would follow.

    `stages` are as they would be, with what differs from that one, and `otherwise` what else does.
    """

    number: int
    findings: tuple[RuleFindings, ...]
    before: int | None
    stages: tuple[Stage, ...]
    otherwise: tuple[Otherwise, ...]

    @property
    def is_changed(self) -> bool:
        """Whether it differs from the version before by more than its number."""
        return bool(self.otherwise) or any(stage.is_changed for stage in self.stages)


@dataclass(frozen=True, slots=True)
class PublishPage:
    """The page, ready for its template; `file_error` says what is wrong with a file."""

    process: str
    begun: str
    form: Form
    checked: Checked | None
    file_error: str


def is_checked(form: Mapping[str, str]) -> bool:
    """Say whether a form was sent as it was when it was shown with what was found of it."""
    return form.get(_CHECKED) == _mark(form)


def publish_page(
    answer: Answer,
    *,
    sent: Filled | None = None,
    text: str | None = None,
    checked: tuple[Mapping[str, str], Answer] | None = None,
    file_error: str = "",
) -> PublishPage:
    """The page with a form that is new, perhaps with the text of a file, or was sent.

    `checked` is a form that was sent, with what was found of it.
    """
    versions = answer["begun"]["versions"]
    latest = max(versions, key=lambda one: one["version"])
    typed = {} if sent is None else sent.values
    typed = typed if checked is None else checked[0]
    values = {PROCESS: answer["process"], TEXT: text_of(latest, number=answer["number"])}
    values |= {} if text is None else {TEXT: text}
    values |= {name: typed[name] for name in (PROCESS, TEXT) if name in typed}
    form = _form(answer, values, fresh=text is not None)
    if sent is not None:
        form = refused(form, sent, _since(answer))
    found = None
    if checked is not None:
        before = latest if answer["latest"] else None
        found = _found(checked[1], before)
        form = replace(
            form,
            key=typed["key"],
            seen=int(typed["seen"]),
            hidden={_CHECKED: _mark(typed)},
            words=Words(_TITLE, f"Publish version {found.number}"),
        )
    return PublishPage(
        process=answer["process"],
        begun=_begun(answer, latest["version"]),
        form=form,
        checked=found,
        file_error=file_error,
    )


def _form(answer: Answer, values: Mapping[str, str], *, fresh: bool) -> Form:
    process = Field(
        name=PROCESS,
        label="Process",
        asked="line",
        required=True,
        value=values[PROCESS],
        choices=None,
        help="The id by which deals are pinned to it. Another id begins a process of its own.",
        most=200,
    )
    text = Field(
        name=TEXT,
        label="The version, in YAML or JSON",
        asked="document",
        required=True,
        value=values[TEXT],
        choices=None,
        help="As in a file for dealtrail process --publish. Deals that are open stay pinned to "
        "the version that they have.",
        most=MOST_TEXT,
    )
    return Form(
        name="process_published",
        words=Words(_TITLE, "Check it"),
        action=PATH,
        key=new_key(),
        seen=answer["as_of"]["position"],
        parts=(Part((process, text)),),
        about=answer["process"],
        fresh=fresh,
    )


def _mark(form: Mapping[str, str]) -> str:
    """Give what stands for a form as it is: other text, or another version before, is another."""
    told = "\0".join(form.get(name, "").replace("\r\n", "\n") for name in _SHOWN)
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def _found(found: Answer, before: Answer | None) -> Checked:
    version = found["version"]
    return Checked(
        number=version["version"],
        findings=findings_of(found["warnings"], version),
        before=before["version"] if before else None,
        stages=stages_of(version, before),
        otherwise=whole_of(version, before) if before else (),
    )


def _begun(answer: Answer, version: int) -> str:
    if answer["latest"] is None:
        return f"A new process, begun with version {version} of {answer['begun']['id']}"
    return f"Begun with version {version}, the latest"


def _since(answer: Answer) -> tuple[Since, ...]:
    """The versions that were published since the page of the form."""
    process = answer["process"]
    return tuple(
        Since(
            "/process" + query_of({"process": process, "version": one["version"]}),
            f"Version {one['version']}: {one['name']}",
            f"{one['by']}, {f.moment(one['recorded_at'])}",
        )
        for one in answer["published"]
    )
