"""Report -> text, JSON documents and annotations; nothing here reads a bundle or decides anything."""
