"""Card bridge (读卡程序): a web server on loopback that lets a portal ask for a card signature by redirect."""

VERSION = "1.0"
