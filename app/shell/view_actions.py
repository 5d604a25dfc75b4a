"""The actions of the menu View: what is shown, and how."""

from app.qt.settings import SIZES, GraphView, PictureName, ThemeChoice
from app.shell.actions import Action, always, ready
from app.shell.conditions import selected
from app.shell.flow_actions import SPOTLIGHT


def _view(name: GraphView, words: str, key: str) -> Action:
    return Action(
        f"view_{name}",
        words,
        "View",
        lambda bench: bench.show_view(name),
        (key,),
        checked=lambda bench: bench.view == name,
        group="view",
    )


def _style(name: str, words: str, key: str, *, rule: bool = False) -> Action:
    return Action(
        f"style_{name}",
        words,
        "View",
        lambda bench: bench.set_option(style=name),
        (key,),
        checked=lambda bench: bench.workspace.document.options.style == name,
        group="style",
        rule=rule,
    )


def _theme(name: ThemeChoice, words: str) -> Action:
    return Action(
        f"theme_{name}",
        words,
        "View",
        lambda bench: bench.theming.choose(name),
        enabled=always,
        checked=lambda bench: bench.theming.choice == name,
        path="Theme",
        group="theme",
        rule=name == "system",
    )


def _picture(name: PictureName, words: str) -> Action:
    return Action(
        f"picture_{name}",
        words,
        "View",
        lambda bench: bench.theming.choose_picture(name),
        enabled=always,
        checked=lambda bench: bench.theming.picture == name,
        path="Colours of the pictures",
        group="picture",
    )


def _size(percent: int) -> Action:
    return Action(
        f"size_{percent}",
        f"{percent} %",
        "View",
        lambda bench: bench.set_size(percent),
        enabled=always,
        checked=lambda bench: bench.settings.size == percent,
        path="Size of text and everything else",
        group="size",
    )


def _panel(name: str, words: str) -> Action:
    return Action(
        f"panel_{name}",
        words,
        "View",
        lambda bench: bench.toggle_panel(name),
        enabled=ready,
        checked=lambda bench: bench.shows_panel(name),
        path="Panels",
        rule=name == "palette",
    )


VIEW = (
    _view("symbol", "&Symbol", "Ctrl+1"),
    _view("split", "S&plit", "Ctrl+2"),
    _view("executor", "&Executor", "Ctrl+3"),
    _style("picture", "Pict&ure style", "Ctrl+4", rule=True),
    _style("card", "&Card style", "Ctrl+5"),
    Action(
        "show_auto",
        "Auto-created &arguments",
        "View",
        lambda bench: bench.set_option(show_auto=not bench.workspace.document.options.show_auto),
        checked=lambda bench: bench.workspace.document.options.show_auto,
    ),
    SPOTLIGHT,
    Action(
        "zoom_in",
        "Zoom &in",
        "View",
        lambda bench: bench.active_view.zoom_in(),
        ("Ctrl++", "Ctrl+="),
        rule=True,
    ),
    Action("zoom_out", "Zoom &out", "View", lambda bench: bench.active_view.zoom_out(), ("Ctrl+-",)),
    Action("zoom_reset", "&100 %", "View", lambda bench: bench.active_view.zoom_reset(), ("Ctrl+0",)),
    Action("fit", "&Fit everything", "View", lambda bench: bench.active_view.fit(), ("Home",), board=True),
    Action(
        "fit_selection",
        "Fit se&lection",
        "View",
        lambda bench: bench.board.fit_selection(),
        (".",),
        selected,
        board=True,
    ),
    Action(
        "minimap",
        "&Map of the board",
        "View",
        lambda bench: bench.board.minimap.toggle(),
        ("Ctrl+M",),
        checked=lambda bench: bench.settings.minimap,
        tip="Show the whole board in a corner; drag in it to go elsewhere",
    ),
    _theme("system", "Like the &system"),
    _theme("light", "&Light"),
    _theme("dark", "&Dark"),
    _picture("standard", "The &tutorial's"),
    _picture("safe", "Safe for &colour-blind eyes"),
    _picture("print", "&Black and white, for print"),
    *(_size(percent) for percent in SIZES),
    _panel("palette", "&Palette"),
    _panel("inspector", "&Inspector"),
    _panel("code", "&Code"),
    _panel("problems", "P&roblems"),
    _panel("memory", "&Memory"),
    Action("reset_layout", "Reset la&yout", "View", lambda bench: bench.reset_layout(), enabled=ready),
)
