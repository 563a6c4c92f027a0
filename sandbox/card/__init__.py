"""The virtual e-port card (电子口岸卡): one key, one certificate, one PIN, spoken to over the vpcd protocol."""
