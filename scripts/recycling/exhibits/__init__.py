"""The tables and figures of a study, one folder each, found by listing this one.

    <name>/exhibit.py   EXHIBIT: title, chapter of the report, inputs, when a study has it
    <name>/table.py     COLUMNS, and rows(source): the rows of tables/<name>.tsv
    <name>/page.py      page(rows): the table as people read it
    <name>/figure.py    draw(rows): the figure
    <name>/page.rst, <name>/figure.rst: their captions in the report

A folder has `exhibit.py` and any of the other files. To add an exhibit, copy the folder that comes
closest; nothing else changes. A study can name folders elsewhere in its setting `exhibits`.
"""
