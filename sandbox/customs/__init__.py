"""Customs (海关): reads export documents from the enterprise folders by its own reading of the 202205 specification."""
