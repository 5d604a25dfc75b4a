"""The document: what the user drew, as frozen records changed by transactions."""
