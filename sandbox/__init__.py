"""The outside world for demonstration, development and tests; shares documents and data with the portal, never code."""
