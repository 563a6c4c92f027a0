"""Virtual cards: an e-port card (电子口岸卡) or a PIV card, one key and one PIN, spoken to over the vpcd protocol."""
