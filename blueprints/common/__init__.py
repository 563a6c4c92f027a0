"""The engine and the frame that every area stands on; nothing here knows any area."""
