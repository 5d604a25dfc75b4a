"""What the hand does on the board: one class for each gesture, each begun, stepped, and ended or cancelled."""
