"""What the mouse does on the board and in the panels, as the list of keys shows it."""

GESTURES = (
    ("Add a node: search at the pointer", "Double-click, Tab or Space on the board"),
    ("Add a node from the palette", "Drag it onto the board"),
    ("Wire two nodes", "Drag from a port to a node or its port"),
    ("Wire into something new", "Drag from a port and release on the empty board"),
    ("Move a wire's end", "Drag the wire near that end"),
    ("Select", "Click; with Shift or Ctrl add and take away"),
    ("Select several", "Drag a band over the empty board"),
    ("Move", "Drag a node; Ctrl: off grid and neighbours"),
    ("Move a frame and what stands in it", "Drag its title bar"),
    ("Resize a frame, widen a note", "Drag an edge"),
    ("Write on: a name, a title, a note", "Double-click it, or F2; Esc ends a note"),
    ("Pan", "Middle button, Space and drag, or two fingers"),
    ("Zoom", "Wheel, or pinch"),
    ("Go elsewhere on a large board", "Drag in its map (Ctrl+M)"),
    ("Why this shape", "Click the shape on a wire"),
    ("Give a gesture up", "Esc"),
    ("Zoom the memory", "Wheel over it; with Shift only the steps"),
    ("Walk the arrays of the memory", "Arrow keys in it; Enter selects the node"),
    ("Open a file", "Drop a .chalk or MXNet .json file on the window"),
)
