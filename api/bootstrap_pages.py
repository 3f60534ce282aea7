"""Builds the pages: their answers, and the sections in the order of the navigation."""

from fastapi import FastAPI

from api.board import Board
from api.board_tapes import BoardTapes
from api.http.services import Services
from api.page_reads.audit import AuditReads
from api.page_reads.called import DealsCalled
from api.page_reads.deals import DealReads
from api.page_reads.door import Door
from api.page_reads.home import HomeReads
from api.page_reads.imports import ImportReads
from api.page_reads.processes import ProcessReads
from api.page_reads.publishing import Publishing
from api.page_reads.quarters import QuarterReads
from api.page_reads.records import DealWrites
from api.page_reads.replays import ReplayReads
from api.page_reads.reviewing import ReviewingReads
from api.page_reads.sample import SampleReads
from api.page_reads.settings import SettingsReads
from api.people import People
from api.places import Places
from api.told_events import ToldEvents
from api.web.doors import IssuerDoors, SignIn
from api.web.pages import add_pages
from api.web.routes.audit import audit_section
from api.web.routes.board import board_section
from api.web.routes.deal import deal_section
from api.web.routes.home import home_section
from api.web.routes.imports import imports_section
from api.web.routes.organisation import organisation_section
from api.web.routes.process import process_section
from api.web.routes.publish import publish_section
from api.web.routes.record import record_section
from api.web.routes.replay import replay_section
from api.web.routes.report import report_section
from api.web.routes.reviewing import commitments_section, review_section
from api.web.routes.settings import settings_section


def add_pages_of(
    app: FastAPI, services: Services, places: Places, doors: SignIn, issuer: IssuerDoors | None
) -> None:
    """Add the pages over the services of the API, so that both give the same answers."""
    people = People(services.store)
    door = Door(services.store, services.views, services.access, services.accesses)
    deals = _deals(services, places, door, people)
    quarters = _quarters(services, door, people)
    replays = ReplayReads(
        door,
        replays=services.replays,
        tapes=BoardTapes(services.replays, services.context, places, services.access),
        context=services.context,
        people=people,
    )
    reviewing = ReviewingReads(door, services, people)
    sections = (
        home_section(HomeReads(door, services.overviews, people)),
        board_section(deals),
        record_section(deals, DealWrites(services, people)),
        deal_section(deals),
        review_section(reviewing),
        commitments_section(reviewing),
        replay_section(replays),
        publish_section(Publishing(door, services, people)),
        process_section(ProcessReads(door, services.processes, services.context)),
        organisation_section(quarters),
        report_section(quarters),
        audit_section(_audit(services, places, door, people)),
        imports_section(ImportReads(door, services.imports, slots=services.uploads, people=people)),
        settings_section(SettingsReads(door, services, people)),
    )
    sample = SampleReads(services.store, services.access)
    add_pages(app, sections, doors, issuer, sample, names=people.names)


def _quarters(services: Services, door: Door, people: People) -> QuarterReads:
    return QuarterReads(
        door,
        context=services.context,
        figures=services.quarter_figures,
        patterns=services.close_patterns,
        pressure=services.quarter_pressure,
        people=people,
    )


def _audit(services: Services, places: Places, door: Door, people: People) -> AuditReads:
    told = ToldEvents(
        services.store,
        services.questions,
        context=services.context,
        places=places,
        access=services.access,
    )
    return AuditReads(
        door,
        log=services.log,
        told=told,
        context=services.context,
        people=people,
        deals=DealsCalled(services.store, places),
    )


def _deals(services: Services, places: Places, door: Door, people: People) -> DealReads:
    return DealReads(
        door,
        questions=services.questions,
        board=Board(services.store, services.context, people, places, services.access),
        people=people,
        context=services.context,
        customers=services.customers,
    )
