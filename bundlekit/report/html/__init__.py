"""Reports as one page that stands alone: no script, no request, nothing from elsewhere.

Pages are put together from small functions that return :class:`~bundlekit.report.html.markup.Markup`; a text gets into
one by being escaped, and in no other way. A template engine would add a dependency and a second language for what are
mostly tables, so there is none.
"""
