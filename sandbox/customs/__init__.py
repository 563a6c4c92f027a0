"""Customs (海关): reads CEB303 orders from the enterprise folders by its own reading of the 202205 specification, answers CEB304."""
