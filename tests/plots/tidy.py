"""What every figure must satisfy: all text inside the figure, none of it on other text."""

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from recycling.plots.style import settle


def texts(figure):
    """(text, extent in pixels) of all text that a figure shows, as laid out."""
    settle(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = _undrawn_tick_labels(figure)
    return [
        (artist.get_text(), artist.get_window_extent(renderer))
        for artist in figure.findobj(Text)
        if artist.get_visible() and artist.get_text().strip() and id(artist) not in hidden
    ]


def _undrawn_tick_labels(figure):
    """Labels of ticks outside the view and of axes that are off exist, but are not drawn."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = {
                id(label)
                for tick in (*axis.majorTicks, *axis.minorTicks)
                for label in (tick.label1, tick.label2)
            }
            if axes.axison and axis.get_visible():
                ticks = axis._update_ticks()
                labels -= {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
            hidden |= labels
    return hidden


def assert_tidy(figure):
    """No text is cut off at the figure's edge, none overlaps other text."""
    found = texts(figure)
    assert found, "a figure without text says nothing"
    width, height = figure.get_size_inches() * figure.dpi
    for text, box in found:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text!r} leaves the figure: {box}, size {width} x {height}"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or down <= 1, f"{one!r} overlaps {other!r} by {across:.1f} x {down:.1f}"
