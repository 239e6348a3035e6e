"""A workbook recalculated without Excel: the file as parts, an engine, and the judging between."""
