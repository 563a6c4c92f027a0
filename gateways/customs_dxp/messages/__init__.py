"""The CEB business messages, one module for each (cross-border export, edition 202205)."""
