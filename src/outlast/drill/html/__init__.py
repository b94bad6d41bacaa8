"""The drill's report: one HTML file that needs nothing but a browser.

`page(result)` makes it from the result dictionary alone, so a report can be made again from an old JSON file.
"""

from outlast.drill.html.page import page

__all__ = ["page"]
