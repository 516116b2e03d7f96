"""The data model drawn and written: complete, well-formed, read by a parser of its language."""

import re
from xml.etree import ElementTree

from pydbml import PyDBML

from movies_platform.contracts.published import published_tables
from movies_platform.contracts.tables import key_of, qualified, references_of
from movies_platform.model.diagram import diagram
from movies_platform.model.text import dbml, mermaid

TABLES = published_tables()
REFERENCES = [(t, own, other) for t in TABLES for own, other, _ in references_of(t)]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_dbml_says_what_the_contracts_say():
    model = PyDBML(dbml(TABLES))
    found = {f"{t.schema}.{t.name}": t for t in model.tables}
    assert set(found) == {qualified(t) for t in TABLES}
    for table in TABLES:
        made = found[qualified(table)]
        assert [c.name for c in made.columns] == [c.name for c in table.columns]
        assert [c.note.text for c in made.columns] == [c.comment for c in table.columns]
        assert [c.not_null for c in made.columns] == [not c.nullable for c in table.columns]
        single = [c.name for c in made.columns if c.pk]
        several = [s.name for i in made.indexes if i.pk for s in i.subjects]
        assert (single or several) == key_of(table)
    assert len(model.refs) == len(REFERENCES)


def test_mermaid_has_every_table_column_and_reference():
    lines = mermaid(TABLES).splitlines()
    assert lines[0] == "erDiagram"
    assert sum(line.endswith("{") for line in lines) == len(TABLES)
    columns = [line for line in lines if re.fullmatch(r"    [A-Z_]+ [a-z_]+( PK| FK| PK, FK)?", line)]
    assert len(columns) == sum(len(t.columns) for t in TABLES)
    assert [line for line in lines if "||--o{" in line] == [
        f"  {other.name} ||--o{{ {table.name} : {own[0]}" for table, own, other in REFERENCES
    ]


def test_the_picture_shows_every_table_and_reference_inside_its_frame():
    root = ElementTree.fromstring(diagram(TABLES))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    heads = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "head"]
    assert sorted(heads) == sorted(map(qualified, TABLES))
    boxes = [
        tuple(float(r.attrib[n]) for n in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
        if "x" in r.attrib
    ]
    assert len(boxes) == len(TABLES)
    for x, y, w, h in boxes:
        assert 0 <= x <= width - w
        assert 0 <= y <= height - h
        others = [b for b in boxes if b != (x, y, w, h)]
        assert not any(x < bx + bw and bx < x + w and y < by + bh and by < y + h for bx, by, bw, bh in others)
    assert len([p for p in root.iter(f"{SVG}path") if p.get("class") == "reference"]) == len(REFERENCES)


def test_the_same_contracts_give_the_same_picture():
    assert diagram(TABLES) == diagram(list(TABLES))
