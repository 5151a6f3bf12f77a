"""Numbers as text, the same in every table."""


def exact(value: float | None) -> str:
    """For TSV: six decimals, blank where there is none."""
    return "" if value is None or value != value else f"{value:.6f}"


def percent(value: float | None) -> str:
    """For people: an accuracy in per cent with one decimal."""
    return "–" if value is None or value != value else f"{100 * value:.1f}"


def signed_percent(value: float | None) -> str:
    """For people: a difference of accuracies in percentage points."""
    return "–" if value is None or value != value else f"{100 * value:+.1f}".replace("-", "−")


def percent_interval(low: float | None, high: float | None) -> str:
    """For people: '[+1.2, +3.4]' in percentage points; blank where there is none."""
    if low is None or high is None:
        return ""
    return f"[{signed_percent(low)}, {signed_percent(high)}]"


def p_value(p: float | None) -> str:
    """For people: three decimals, '<0.001' below that."""
    if p is None or p != p:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
