"""Batch sheets as PDF, with reportlab (which Odoo has). Every text is data: nothing in it is taken for markup.

The standard fonts hold Western European characters; others become "?".
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Grid:
    """A table under a heading; the last `numbers` columns are aligned to the right."""

    heading: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """One batch: its title, what is known of it as (label, text), and its tables."""

    title: str
    subtitle: str
    facts: Sequence[tuple[str, str]]
    grids: Sequence[Grid]
    footer: str


def write(sheets: Iterable[Sheet], title: str) -> bytes:
    """Return a PDF that begins each sheet on a new page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.lib.units import mm
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

    styles, story, footers = getSampleStyleSheet(), [], []
    for sheet in sheets:
        if story:
            story.append(PageBreak())
        story += [
            Paragraph(_markup(sheet.title), styles["Title"]),
            Paragraph(_markup(sheet.subtitle), styles["Normal"]),
            Spacer(1, 5 * mm),
            _facts(sheet.facts, styles),
        ]
        for grid in sheet.grids:
            if grid.rows:
                story += [Paragraph(_markup(grid.heading), styles["Heading3"]), _grid(grid, styles)]
        footers.append(sheet.footer)
    footer = _western(footers[0]) if footers else ""

    def foot(canvas, document):
        canvas.saveState()
        canvas.setFont("Helvetica", 7)
        canvas.drawString(18 * mm, 10 * mm, footer)
        canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))
        canvas.restoreState()

    stream = io.BytesIO()
    document = SimpleDocTemplate(
        stream, pagesize=A4, title=_western(title), leftMargin=18 * mm, rightMargin=18 * mm, bottomMargin=18 * mm,
        topMargin=15 * mm,
    )  # fmt: skip
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return stream.getvalue()


def _facts(facts, styles):
    from reportlab.platypus import Paragraph, Table, TableStyle

    cells = [[Paragraph(f"<b>{_markup(label)}</b>", styles["Normal"]), Paragraph(_markup(text), styles["Normal"])]
             for label, text in facts]  # fmt: skip
    style = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)])
    return Table(cells, colWidths=["35%", "65%"], style=style)


def _grid(grid, styles):
    from reportlab.lib import colors
    from reportlab.platypus import Paragraph, Table, TableStyle

    texts = len(grid.titles) - grid.numbers
    rows = [
        [Paragraph(_markup(cell), styles["BodyText"]) if place < texts else _western(cell)
         for place, cell in enumerate(row)]
        for row in grid.rows
    ]  # fmt: skip
    return Table(
        [[_western(title) for title in grid.titles], *rows],
        colWidths=[f"{100 / len(grid.titles)}%"] * len(grid.titles),
        repeatRows=1,
        style=TableStyle([
            ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 8),
            ("FONT", (0, 1), (-1, -1), "Helvetica", 8),
            ("ALIGN", (texts, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]),
    )  # fmt: skip


def _western(text):
    """Return what the standard fonts can show, without the narrow spaces of number formats."""
    plain = (text or "").replace("\u202f", "\u00a0").replace("\u2212", "-")
    return plain.encode("cp1252", errors="replace").decode("cp1252")


def _markup(text):
    return escape(_western(text))
